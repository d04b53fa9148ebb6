#pragma once
// A pixel of the output of a warp, taken to its input by a homography.
#include "kernels/warp/bilinear.h"

namespace cairn {

/// A point of the input, and whether there is one.
template <class T>
struct Projected {
  T x, y;
  bool defined;

  CAIRN_HD Projected(const T* m, T column, T row) {
    const T w = m[6] * column + m[7] * row + m[8];
    defined = w >= T(1e-6) || w <= T(-1e-6);
    const T scale = defined ? 1 / w : T(0);
    x = (m[0] * column + m[1] * row + m[2]) * scale;
    y = (m[3] * column + m[4] * row + m[5]) * scale;
  }
  /// The nearest pixel exists in an image of this size.
  CAIRN_HD bool inside(int64_t height, int64_t width) const {
    return defined && x >= T(-0.5) && x < T(width) - T(0.5) && y >= T(-0.5) &&
           y < T(height) - T(0.5);
  }
};

}  // namespace cairn
