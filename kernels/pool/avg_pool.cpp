#include "kernels/pool/avg_pool.h"

#include <algorithm>

#include "runtime/threads.h"

namespace cairn::cpu {

void avg_pool(const Tensor& x, const PoolBlock& block, Tensor& y) {
  const int64_t W = x.dim(2), C = x.dim(3), Wo = y.dim(2);
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* px = x.data<T>();
    T* py = y.data<T>();
    const T share = T(1) / T(block.height * block.width);
    parallel_for(y.dim(0) * y.dim(1), 1, [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t j = 0; j < Wo; ++j) {
          const T* from = px + (row * block.height * W + j * block.width) * C;
          T* to = py + (row * Wo + j) * C;
          std::fill_n(to, C, T(0));
          for (int u = 0; u < block.height; ++u)
            for (int v = 0; v < block.width; ++v) {
              const T* pixel = from + (u * W + v) * C;
              for (int64_t c = 0; c < C; ++c) to[c] += pixel[c];
            }
          for (int64_t c = 0; c < C; ++c) to[c] *= share;
        }
    });
  });
}

void avg_pool_backward(const Tensor& dy, const PoolBlock& block, Tensor& dx) {
  const int64_t W = dx.dim(2), C = dx.dim(3), Wo = dy.dim(2);
  with_float(dx.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* pd = dy.data<T>();
    T* px = dx.data<T>();
    const T share = T(1) / T(block.height * block.width);
    parallel_for(dx.dim(0) * dx.dim(1), 1, [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t q = 0; q < W; ++q) {
          const T* from = pd + (row / block.height * Wo + q / block.width) * C;
          T* to = px + (row * W + q) * C;
          for (int64_t c = 0; c < C; ++c) to[c] = share * from[c];
        }
    });
  });
}

}  // namespace cairn::cpu
