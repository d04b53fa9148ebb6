// cast: y = x in the type of y.
//
//   Launch    one thread per 8 elements and for each that remains (per element where a tensor does
//             not begin on 16 bytes), 256 per block, grid-stride.
//   Traffic   6 B per element: bandwidth-bound; floor = 6 B * count / bandwidth.
//   Repeats   bitwise: every element has one writer.
#include "kernels/elementwise/cast.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int V = 8;

template <class From, class To>
CAIRN_KERNEL void cast_kernel(const From* x, To* y, int64_t runs, int64_t count) {
  for_each_run<V>(runs, count, [&](int64_t i, auto size) {
    const Pack<float, size()> p = load_wide<size()>(x + i);
    store_rounded(y + i, p);
  });
}

template <class From, class To>
void run(const Tensor& x, Tensor& y) {
  const int64_t count = y.count(), runs = aligned_runs<V>(count, x.data<From>(), y.data<To>());
  launch("cast", cast_kernel<From, To>, blocks_for(runs ? runs : count, 256), 256, 0,
         x.data<From>(), y.data<To>(), runs, count);
}

}  // namespace

void cast(const Tensor& x, Tensor& y) {
  y.dtype() == DType::bf16 ? run<float, bf16>(x, y) : run<bf16, float>(x, y);
}

}  // namespace cairn::CAIRN_NS
