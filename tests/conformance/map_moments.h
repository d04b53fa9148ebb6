#pragma once
// Rows of soft_argmax, spatial_moments and landmark_maps: where pixels lie, and moments of a
// weight, in float64.
#include <array>
#include <cstdint>
#include <functional>

namespace cairn::conformance {

struct Moments {
  double point[2], variance[2];
};

/// Of a weight w(row, column) on an H x W map, all divided by `zeta`.
inline Moments moments_of(int64_t H, int64_t W, double zeta,
                          const std::function<double(int64_t, int64_t)>& w) {
  Moments m{};
  const auto place = [=](int64_t i, int64_t j) {
    return std::array<double, 2>{(double(j) + .5) / double(W), (double(i) + .5) / double(H)};
  };
  for (int64_t i = 0; i < H; ++i)
    for (int64_t j = 0; j < W; ++j)
      for (int axis = 0; axis < 2; ++axis) m.point[axis] += w(i, j) / zeta * place(i, j)[axis];
  for (int64_t i = 0; i < H; ++i)
    for (int64_t j = 0; j < W; ++j)
      for (int axis = 0; axis < 2; ++axis) {
        const double d = place(i, j)[axis] - m.point[axis];
        m.variance[axis] += w(i, j) / zeta * d * d;
      }
  return m;
}

}  // namespace cairn::conformance
