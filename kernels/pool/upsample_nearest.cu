// upsample_nearest: every pixel becomes a square, and the sum over it back.
//
//   Launch    one thread per pixel of x and 16 bytes of channels, or one channel where they do not
//             divide so; a block per image row and 256 of them.
//   Traffic   4 B + 4 B factor^2 per element of x, in bf16 half of that: bandwidth-bound; floor =
//             that * count / bandwidth.
//   Repeats   bitwise: every element has one writer and a fixed order.
//   Exact     copies, and a sum in the reference's order (bf16: rounded once).
#include "kernels/pool/upsample_nearest.h"

#include "kernels/image_rows_device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T, int V>
CAIRN_KERNEL void upsample_nearest_kernel(const T* x, ImageSize in, ImageSize out, int factor,
                                          T* y) {
  for_each_pack<V>(in, [&](int64_t n, int i, int j, int c) {
    const Pack<T, V> p = load_pack<V>(x + place(in, n, i, j, c));
    for (int u = 0; u < factor; ++u)
      for (int v = 0; v < factor; ++v)
        store_pack(y + place(out, n, i * factor + u, j * factor + v, c), p);
  });
}

template <class T, int V>
CAIRN_KERNEL void upsample_nearest_backward_kernel(const T* dy, ImageSize out, ImageSize in,
                                                   int factor, T* dx) {
  for_each_pack<V>(in, [&](int64_t n, int i, int j, int c) {
    Pack<Sum<T>, V> sum{};
    for (int u = 0; u < factor; ++u)
      for (int v = 0; v < factor; ++v) {
        const Pack<Sum<T>, V> d =
            load_wide<V>(dy + place(out, n, i * factor + u, j * factor + v, c));
        for (int k = 0; k < V; ++k) sum[k] += d[k];
      }
    store_rounded(dx + place(in, n, i, j, c), sum);
  });
}

}  // namespace

void upsample_nearest(const Tensor& x, int factor, Tensor& y) {
  const ImageSize in(x.shape()), out(y.shape());
  with_real_packs(x.dtype(), in.C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    constexpr int V = pack_size();
    const RowGrid g = row_grid(in, V);
    launch("upsample_nearest", upsample_nearest_kernel<T, V>, g.grid, g.block, 0, x.data<T>(), in,
           out, factor, y.data<T>());
  });
}

void upsample_nearest_backward(const Tensor& dy, int factor, Tensor& dx) {
  const ImageSize in(dx.shape()), out(dy.shape());
  with_real_packs(dx.dtype(), in.C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    constexpr int V = pack_size();
    const RowGrid g = row_grid(in, V);
    launch("upsample_nearest_backward", upsample_nearest_backward_kernel<T, V>, g.grid, g.block, 0,
           dy.data<T>(), out, in, factor, dx.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
