// avg_pool: the mean of every block of pixels, and its share back to each of them.
//
//   Launch    one thread per output pixel (backward: input pixel) and 16 bytes of channels, or one
//             channel where they do not divide so; a block per image row and 256 of them.
//   Traffic   4 B (bf16: 2 B) per element of x and of y, each way: bandwidth-bound; floor = that /
//             bandwidth. Blocks that leave fewer threads than the device has (the mean of a whole
//             image) are bound by latency.
//   Repeats   bitwise: every element has one writer and a fixed order.
#include "kernels/pool/avg_pool.h"

#include "kernels/image_rows_device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T, int V>
CAIRN_KERNEL void avg_pool_kernel(const T* x, ImageSize in, ImageSize out, PoolBlock block, T* y) {
  const Sum<T> share = Sum<T>(1) / Sum<T>(block.height * block.width);
  for_each_pack<V>(out, [&](int64_t n, int i, int j, int c) {
    Pack<Sum<T>, V> sum{};
    for (int u = 0; u < block.height; ++u)
      for (int v = 0; v < block.width; ++v) {
        const Pack<Sum<T>, V> p =
            load_wide<V>(x + place(in, n, i * block.height + u, j * block.width + v, c));
        for (int k = 0; k < V; ++k) sum[k] += p[k];
      }
    for (int k = 0; k < V; ++k) sum[k] *= share;
    store_rounded(y + place(out, n, i, j, c), sum);
  });
}

template <class T, int V>
CAIRN_KERNEL void avg_pool_backward_kernel(const T* dy, ImageSize out, ImageSize in,
                                           PoolBlock block, T* dx) {
  const Sum<T> share = Sum<T>(1) / Sum<T>(block.height * block.width);
  for_each_pack<V>(in, [&](int64_t n, int i, int j, int c) {
    Pack<Sum<T>, V> d = load_wide<V>(dy + place(out, n, i / block.height, j / block.width, c));
    for (int k = 0; k < V; ++k) d[k] *= share;
    store_rounded(dx + place(in, n, i, j, c), d);
  });
}

}  // namespace

void avg_pool(const Tensor& x, const PoolBlock& block, Tensor& y) {
  const ImageSize in(x.shape()), out(y.shape());
  with_real_packs(x.dtype(), in.C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    constexpr int V = pack_size();
    const RowGrid g = row_grid(out, V);
    launch("avg_pool", avg_pool_kernel<T, V>, g.grid, g.block, 0, x.data<T>(), in, out, block,
           y.data<T>());
  });
}

void avg_pool_backward(const Tensor& dy, const PoolBlock& block, Tensor& dx) {
  const ImageSize in(dx.shape()), out(dy.shape());
  with_real_packs(dx.dtype(), in.C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    constexpr int V = pack_size();
    const RowGrid g = row_grid(in, V);
    launch("avg_pool_backward", avg_pool_backward_kernel<T, V>, g.grid, g.block, 0, dy.data<T>(),
           out, in, block, dx.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
