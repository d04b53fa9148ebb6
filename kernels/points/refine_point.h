#pragma once
// From a pixel of a map of scores to a fraction of it, for host and device.
//
//   none          the pixel's centre
//   quadratic     the top of the parabola through the logarithms of the 3 x 3 scores, which must be
//                 positive: exact for a Gaussian. With central differences g and H: step = -H^-1 g,
//                 taken if H is negative definite and |step| <= 1/2 on each axis; otherwise, and in
//                 the outermost pixels, the pixel's centre
//   soft_argmax   the mean position of the 5 x 5 scores, weighted by the scores (what lies outside
//                 the map weighs nothing)
#include <cmath>
#include <cstdint>

#include "runtime/host_device.h"

namespace cairn {

enum class Refinement : uint8_t { none, quadratic, soft_argmax };

template <class T>
struct PointOffset {
  T x, y;
};

/// `s` points to the score at the point's pixel; all eight neighbours are there and positive.
template <class T>
CAIRN_HD PointOffset<T> quadratic_offset(const T* s, int64_t width) {
  const auto at = [=](int dx, int dy) { return std::log(s[dy * width + dx]); };
  const T centre = at(0, 0), left = at(-1, 0), right = at(1, 0), up = at(0, -1), down = at(0, 1);
  const T gx = (right - left) / 2, gy = (down - up) / 2;
  const T hxx = right - 2 * centre + left, hyy = down - 2 * centre + up;
  const T hxy = (at(1, 1) - at(-1, 1) - at(1, -1) + at(-1, -1)) / 4;
  const T determinant = hxx * hyy - hxy * hxy;
  if (!(determinant > 0) || !(hxx + hyy < 0)) return {0, 0};
  const T x = (hxy * gy - hyy * gx) / determinant, y = (hxy * gx - hxx * gy) / determinant;
  const bool near = x >= T(-0.5) && x <= T(0.5) && y >= T(-0.5) && y <= T(0.5);
  return near ? PointOffset<T>{x, y} : PointOffset<T>{0, 0};
}

template <class T>
CAIRN_HD PointOffset<T> soft_argmax_offset(const T* s, int64_t x, int64_t y, int64_t width,
                                           int64_t height) {
  T sum = 0, sum_x = 0, sum_y = 0;
  for (int dy = -2; dy <= 2; ++dy)
    for (int dx = -2; dx <= 2; ++dx) {
      if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
      const T weight = s[dy * width + dx];
      sum += weight;
      sum_x += weight * T(dx);
      sum_y += weight * T(dy);
    }
  if (!(sum > 0)) return {0, 0};
  return {sum_x / sum, sum_y / sum};
}

/// Writes (x, y) of the point at linear index `i` = y width + x of a map to p.
template <class T>
CAIRN_HD void refine_point(const T* map, int64_t height, int64_t width, int32_t i, Refinement how,
                           T* p) {
  const int64_t y = i / width, x = i % width;
  PointOffset<T> offset{0, 0};
  const bool inside = x > 0 && y > 0 && x < width - 1 && y < height - 1;
  if (how == Refinement::quadratic && inside)
    offset = quadratic_offset(map + i, width);
  else if (how == Refinement::soft_argmax)
    offset = soft_argmax_offset(map + i, x, y, width, height);
  p[0] = T(x) + offset.x;
  p[1] = T(y) + offset.y;
}

}  // namespace cairn
