#pragma once
#include <algorithm>
#include <cmath>

#include "geometry/point.h"

namespace cairn {

/// Edges, not pixel centres: a box around the pixels 3..5 has x = 2.5 and width 3.
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};

/// The smallest and largest coordinates of points that are added one by one; NaN does not count.
struct Bounds {
  double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;

  void add(Point p) {
    left = std::min(left, p.x), right = std::max(right, p.x);
    top = std::min(top, p.y), bottom = std::max(bottom, p.y);
  }
  /// Right through the outermost points; of size 0 without any.
  Box box() const { return left > right ? Box{} : Box{left, top, right - left, bottom - top}; }
};

}  // namespace cairn
