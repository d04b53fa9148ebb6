#include "kernels/points/nms_maxpool.h"

#include "kernels/points/open_points.h"

namespace cairn::cpu {

void nms_maxpool(const Tensor& heat, int radius, int rounds, double threshold, Tensor& y) {
  const int64_t height = heat.dim(1), width = heat.dim(2), size = height * width;
  y.zero();
  if (size == 0) return;
  with_float(heat.dtype(), [&](auto type) {
    using T = decltype(type);
    for (int64_t n = 0; n < heat.dim(0); ++n) {
      const T* from = heat.data<T>() + n * size;
      T* to = y.data<T>() + n * size;
      OpenPoints<T> open(from, height, width, radius, T(threshold));
      for (int r = 0; r < rounds; ++r) open.keep_largest([=](int64_t i) { to[i] = from[i]; });
    }
  });
}

}  // namespace cairn::cpu
