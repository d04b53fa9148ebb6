#include "kernels/pool/upsample_add.h"

#include "runtime/threads.h"

namespace cairn::cpu {

void upsample_add(const Tensor& skip, const Tensor& low, Tensor& y) {
  const int64_t W = low.dim(2), C = low.dim(3), row = 2 * W * C;
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *ps = skip.data<T>(), *pl = low.data<T>();
    T* py = y.data<T>();
    parallel_for(y.dim(0) * y.dim(1), 2, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        for (int64_t j = 0; j < W; ++j) {
          const int64_t left = i * row + 2 * j * C;
          const T* l = pl + (i / 2 * W + j) * C;
          for (int64_t c = 0; c < C; ++c) py[left + c] = ps[left + c] + l[c];
          for (int64_t c = 0; c < C; ++c) py[left + C + c] = ps[left + C + c] + l[c];
        }
    });
  });
}

}  // namespace cairn::cpu
