#include "kernels/elementwise/scale.h"

#include "runtime/threads.h"

namespace cairn::cpu {

void scale(const Tensor& x, double factor, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* px = x.data<T>();
    T* py = y.data<T>();
    const T a = T(factor);
    parallel_for(y.count(), 1 << 15, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) py[i] = a * px[i];
    });
  });
}

}  // namespace cairn::cpu
