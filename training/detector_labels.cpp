#include "training/detector_labels.h"

#include "runtime/error.h"

namespace cairn {

Tensor detector_labels(std::span<const Point> points, int height, int width, Random& random) {
  if (height % detector_cell || width % detector_cell)
    throw Error("detector_labels", text("an image of ", height, "x", width),
                "sides that are multiples of 8", "pad or crop the image");
  Tensor at = Tensor::empty({1, int64_t(points.size()), 2}),
         keys = Tensor::empty({1, 2}, DType::i32),
         labels = Tensor::empty({1, height / detector_cell, width / detector_cell}, DType::i32);
  for (size_t k = 0; k < points.size(); ++k) {
    at.data<float>()[2 * k] = float(points[k].x);
    at.data<float>()[2 * k + 1] = float(points[k].y);
  }
  for (int i = 0; i < 2; ++i) keys.data<int32_t>()[i] = int32_t(random.bits());
  detector_labels(at, keys, labels);
  return labels.reshape({labels.dim(1), labels.dim(2)});
}

}  // namespace cairn
