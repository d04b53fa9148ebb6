#include "kernels/descriptor/sample_descriptors.h"

#include <algorithm>
#include <cmath>

#include "kernels/dot.h"
#include "kernels/warp/bilinear.h"
#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

template <class T>
T unit_scale(const T* x, int64_t channels) {
  return T(1 / std::max(std::sqrt(dot(x, x, channels)), descriptor_eps));
}

template <class T>
void sample(const T* map, const Shape& s, const T* point, const DescriptorGrid& grid, T* y) {
  const int64_t H = s[1], W = s[2], C = s[3];
  const AxisTap<T> u = axis_tap(T(grid.scale_x) * point[0] + T(grid.offset_x), W, Padding::zeros);
  const AxisTap<T> v = axis_tap(T(grid.scale_y) * point[1] + T(grid.offset_y), H, Padding::zeros);
  const T* p[4];
  T weight[4];
  for (int k = 0; k < 4; ++k) {
    p[k] = map + (v.at[k / 2] * W + u.at[k % 2]) * C;
    weight[k] = v.weight[k / 2] * u.weight[k % 2] * unit_scale(p[k], C);
  }
  for (int64_t c = 0; c < C; ++c)
    y[c] = weight[0] * p[0][c] + weight[1] * p[1][c] + weight[2] * p[2][c] + weight[3] * p[3][c];
  const T length = unit_scale(y, C);
  for (int64_t c = 0; c < C; ++c) y[c] *= length;
}

}  // namespace

void sample_descriptors(const Tensor& map, const Tensor& points, const DescriptorGrid& grid,
                        Tensor& y) {
  const int64_t K = points.dim(1), C = map.dim(3);
  with_float(map.dtype(), [&](auto type) {
    using T = decltype(type);
    parallel_for(points.count() / 2, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        sample(map.data<T>() + i / K * map.count() / map.dim(0), map.shape(),
               points.data<T>() + 2 * i, grid, y.data<T>() + i * C);
    });
  });
}

}  // namespace cairn::cpu
