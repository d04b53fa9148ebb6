#include "kernels/pool/upsample_nearest.h"

#include <algorithm>

#include "runtime/threads.h"

namespace cairn::cpu {

void upsample_nearest(const Tensor& x, int factor, Tensor& y) {
  const int64_t W = x.dim(2), C = x.dim(3), Wo = y.dim(2);
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* px = x.data<T>();
    T* py = y.data<T>();
    parallel_for(x.dim(0) * x.dim(1), 1, [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        T* top = py + row * factor * Wo * C;
        for (int64_t q = 0; q < W; ++q)
          for (int v = 0; v < factor; ++v)
            std::copy_n(px + (row * W + q) * C, C, top + (q * factor + v) * C);
        for (int u = 1; u < factor; ++u) std::copy_n(top, Wo * C, top + u * Wo * C);
      }
    });
  });
}

void upsample_nearest_backward(const Tensor& dy, int factor, Tensor& dx) {
  const int64_t W = dx.dim(2), C = dx.dim(3), Wo = dy.dim(2);
  with_float(dx.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* pd = dy.data<T>();
    T* px = dx.data<T>();
    parallel_for(dx.dim(0) * dx.dim(1), 1, [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t q = 0; q < W; ++q) {
          const T* square = pd + (row * factor * Wo + q * factor) * C;
          T* to = px + (row * W + q) * C;
          std::copy_n(square, C, to);
          for (int u = 0; u < factor; ++u)
            for (int v = u == 0 ? 1 : 0; v < factor; ++v) {
              const T* from = square + (u * Wo + v) * C;
              for (int64_t c = 0; c < C; ++c) to[c] += from[c];
            }
        }
    });
  });
}

}  // namespace cairn::cpu
