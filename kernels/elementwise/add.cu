// add: y = a + b; accumulate: y += x.
//
//   Launch    one thread per 16 bytes and for each element that remains (per element where a tensor
//             does not begin on 16 bytes), 256 per block, grid-stride.
//   Traffic   12 B (6 B in bf16) and 1 flop per element: bandwidth-bound; floor = that * count /
//             bandwidth.
//   Repeats   bitwise: every element has one writer.
#include "kernels/elementwise/add.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T, int V>
CAIRN_KERNEL void add_kernel(const T* a, const T* b, T* y, int64_t runs, int64_t count) {
  for_each_run<V>(runs, count, [&](int64_t i, auto size) {
    constexpr int N = size();
    Pack<Sum<T>, N> sum = load_wide<N>(a + i);
    const Pack<Sum<T>, N> more = load_wide<N>(b + i);
    for (int k = 0; k < N; ++k) sum[k] += more[k];
    store_rounded(y + i, sum);
  });
}

}  // namespace

void add(const Tensor& a, const Tensor& b, Tensor& y) {
  with_real(y.dtype(), [&](auto type) {
    using T = decltype(type);
    constexpr int V = 16 / sizeof(T);
    const int64_t count = y.count(),
                  runs = aligned_runs<V>(count, a.data<T>(), b.data<T>(), y.data<T>());
    launch("add", add_kernel<T, V>, blocks_for(runs ? runs : count, 256), 256, 0, a.data<T>(),
           b.data<T>(), y.data<T>(), runs, count);
  });
}

void accumulate(const Tensor& x, Tensor& y) { CAIRN_NS::add(y, x, y); }

}  // namespace cairn::CAIRN_NS
