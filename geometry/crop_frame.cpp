#include "geometry/crop_frame.h"

#include <algorithm>
#include <cmath>

namespace cairn {

Matrix3 to_crop(const CropFrame& frame, int64_t height, int64_t width) {
  const double cosine = frame.scale * std::cos(frame.rotation);
  const double sine = frame.scale * std::sin(frame.rotation), side = frame.mirrored ? -1 : 1;
  const Matrix3 turned{{side * cosine, -sine, 0, side * sine, cosine, 0, 0, 0, 1}};
  return translation(double(width - 1) / 2, double(height - 1) / 2) * turned *
         translation(-frame.centre.x, -frame.centre.y);
}

CropFrame frame_of(const Box& box, double margin, int64_t height, int64_t width) {
  CropFrame frame;
  frame.centre = {box.x + box.width / 2, box.y + box.height / 2};
  const double shrink = margin * std::max(box.width / double(width), box.height / double(height));
  if (shrink > 0) frame.scale = 1 / shrink;
  return frame;
}

double scale_of(const Matrix3& affine) {
  return std::sqrt(std::abs(affine(0, 0) * affine(1, 1) - affine(0, 1) * affine(1, 0)));
}

}  // namespace cairn
