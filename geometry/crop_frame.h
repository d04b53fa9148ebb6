#pragma once
// Where a crop looks: the transform between a photograph and the input of a network that sees one
// object in its middle. (Newell, Yang, Deng, "Stacked Hourglass Networks for Human Pose
// Estimation", ECCV 2016, sees 200 s pixels around a person of scale s.)
#include <cstdint>

#include "geometry/box.h"
#include "geometry/homography.h"

namespace cairn {

struct CropFrame {
  Point centre;         ///< of the image; comes to the middle of the crop
  double scale = 1;     ///< crop pixels per image pixel
  double rotation = 0;  ///< of what is seen, in radians: turns x towards y, clockwise for a viewer
  bool mirrored = false;  ///< left and right exchanged about the centre, before the rotation
};

/// image -> crop of this size: T(middle of the crop) R(rotation) S(scale) F T(-centre).
Matrix3 to_crop(const CropFrame& frame, int64_t height, int64_t width);

/// The frame that shows all of a box, enlarged `margin` times, in the middle of a crop of this
/// size. A box without extent is shown at scale 1.
CropFrame frame_of(const Box& box, double margin, int64_t height, int64_t width);

/// How many crop pixels an image pixel is long: the root of the area that it covers there.
double scale_of(const Matrix3& affine);

}  // namespace cairn
