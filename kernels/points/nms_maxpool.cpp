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
      OpenPoints<T> open(heat.data<T>() + n * size, height, width, radius, T(threshold));
      for (int r = 0; r < rounds; ++r) open.keep_largest(y.data<T>() + n * size);
    }
  });
}

}  // namespace cairn::cpu
