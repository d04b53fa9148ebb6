// scale: y = factor x.
//
//   Launch    one thread per element, 256 per block, grid-stride.
//   Traffic   8 B and 1 flop per element: bandwidth-bound; floor = 8 B * count / bandwidth.
//   Repeats   bitwise: every element has one writer.
#include "kernels/elementwise/scale.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
CAIRN_KERNEL void scale_kernel(const T* x, T factor, T* y, int64_t count) {
  for (int64_t i = global_thread(); i < count; i += global_threads()) y[i] = factor * x[i];
}

}  // namespace

void scale(const Tensor& x, double factor, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("scale", scale_kernel<T>, blocks_for(y.count(), 256), 256, 0, x.data<T>(), T(factor),
           y.data<T>(), y.count());
  });
}

}  // namespace cairn::CAIRN_NS
