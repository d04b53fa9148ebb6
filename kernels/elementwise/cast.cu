// cast: y = x in the type of y.
//
//   Launch    one thread per element, 256 per block, grid-stride.
//   Traffic   6 B per element: bandwidth-bound; floor = 6 B * count / bandwidth.
//   Repeats   bitwise: every element has one writer.
#include "kernels/elementwise/cast.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class From, class To>
CAIRN_KERNEL void cast_kernel(const From* x, To* y, int64_t count) {
  for (int64_t i = global_thread(); i < count; i += global_threads()) y[i] = To(float(x[i]));
}

template <class From, class To>
void run(const Tensor& x, Tensor& y) {
  launch("cast", cast_kernel<From, To>, blocks_for(y.count(), 256), 256, 0, x.data<From>(),
         y.data<To>(), y.count());
}

}  // namespace

void cast(const Tensor& x, Tensor& y) {
  y.dtype() == DType::bf16 ? run<float, bf16>(x, y) : run<bf16, float>(x, y);
}

}  // namespace cairn::CAIRN_NS
