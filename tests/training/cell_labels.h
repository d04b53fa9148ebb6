#pragma once
// The labels of a detector for points of one image, and back.
#include <vector>

#include "geometry/point.h"
#include "kernels/points/detector_labels.h"
#include "runtime/random.h"

namespace cairn {

/// i32 [height/8, width/8].
inline Tensor cell_labels(const std::vector<Point>& points, int height, int width, Random& random) {
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

/// The pixel of a class in the cell of this row and column.
inline Point labelled_pixel(int row, int column, int label) {
  return {double(detector_cell * column + label % detector_cell),
          double(detector_cell * row + label / detector_cell)};
}

}  // namespace cairn
