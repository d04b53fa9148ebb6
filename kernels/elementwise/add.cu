// add: y = a + b; accumulate: y += x.
//
//   Launch    one thread per element, 256 per block, grid-stride.
//   Traffic   12 B (6 B in bf16) and 1 flop per element: bandwidth-bound; floor = that * count /
//             bandwidth.
//   Repeats   bitwise: every element has one writer.
#include "kernels/elementwise/add.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
CAIRN_KERNEL void add_kernel(const T* a, const T* b, T* y, int64_t count) {
  for (int64_t i = global_thread(); i < count; i += global_threads())
    y[i] = T(Sum<T>(a[i]) + Sum<T>(b[i]));
}

}  // namespace

void add(const Tensor& a, const Tensor& b, Tensor& y) {
  with_real(y.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("add", add_kernel<T>, blocks_for(y.count(), 256), 256, 0, a.data<T>(), b.data<T>(),
           y.data<T>(), y.count());
  });
}

void accumulate(const Tensor& x, Tensor& y) { CAIRN_NS::add(y, x, y); }

}  // namespace cairn::CAIRN_NS
