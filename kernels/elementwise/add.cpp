#include "kernels/elementwise/add.h"

#include "runtime/threads.h"

namespace cairn::cpu {

void add(const Tensor& a, const Tensor& b, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *pa = a.data<T>(), *pb = b.data<T>();
    T* py = y.data<T>();
    parallel_for(y.count(), 1 << 15, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) py[i] = pa[i] + pb[i];
    });
  });
}

void accumulate(const Tensor& x, Tensor& y) { cpu::add(y, x, y); }

}  // namespace cairn::cpu
