#pragma once
// Points as the classes of 8x8 cells that SuperPoint's detector is trained on.
#include <span>

#include "geometry/point.h"
#include "kernels/points/detector_labels.h"
#include "runtime/random.h"
#include "runtime/tensor.h"

namespace cairn {

/// i32 [height/8, width/8]: 8 dy + dx of the point in the cell, or 64. A point is rounded to a
/// pixel, points outside the image are left out; of several in one cell one is picked at random.
/// Throws an Error unless both sides are multiples of 8.
Tensor detector_labels(std::span<const Point> points, int height, int width, Random& random);

/// The pixel of a class in the cell of this row and column.
inline Point labelled_pixel(int row, int column, int label) {
  return {double(detector_cell * column + label % detector_cell),
          double(detector_cell * row + label / detector_cell)};
}

}  // namespace cairn
