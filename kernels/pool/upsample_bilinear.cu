// upsample_bilinear: resizing by bilinear interpolation; the backward is a gather.
//
//   Launch    one thread per output pixel (backward: input pixel) and four channels, or one where C
//             is no multiple of four; a block per image row and 256 of them.
//   Traffic   4 B per element of x and 4 B per element of y: bandwidth-bound; floor = that /
//             bandwidth. Neighbouring threads read the same pixels, from the cache: 4 reads per
//             element of y forward; enlarged by f, (2 f + 1)^2 at most per element of x backward.
//   Repeats   bitwise: every element has one writer and a fixed order.
#include "kernels/pool/upsample_bilinear.h"

#include "kernels/image_rows_device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T, int V>
CAIRN_KERNEL void upsample_bilinear_kernel(const T* x, ImageSize in, ImageSize out, ResizeAxis rows,
                                           ResizeAxis columns, T* y) {
  for_each_pack<V>(out, [&](int64_t n, int i, int j, int c) {
    const auto p = rows.source<T>(i);
    const auto q = columns.source<T>(j);
    const Pack<T, V> a = load_pack<V>(x + place(in, n, p.low, q.low, c));
    const Pack<T, V> b = load_pack<V>(x + place(in, n, p.low, q.high, c));
    const Pack<T, V> d = load_pack<V>(x + place(in, n, p.high, q.low, c));
    const Pack<T, V> e = load_pack<V>(x + place(in, n, p.high, q.high, c));
    Pack<T, V> mean;
    for (int v = 0; v < V; ++v)
      mean[v] = (1 - p.weight) * ((1 - q.weight) * a[v] + q.weight * b[v]) +
                p.weight * ((1 - q.weight) * d[v] + q.weight * e[v]);
    store_pack(y + place(out, n, i, j, c), mean);
  });
}

template <class T, int V>
CAIRN_KERNEL void upsample_bilinear_backward_kernel(const T* dy, ImageSize out, ImageSize in,
                                                    ResizeAxis rows, ResizeAxis columns, T* dx) {
  for_each_pack<V>(in, [&](int64_t n, int i, int j, int c) {
    const ResizeAxis::Range ps = rows.readers(i), qs = columns.readers(j);
    Pack<T, V> sum{};
    for (int p = ps.first; p <= ps.last; ++p) {
      const T above = rows.weight<T>(p, i);
      if (above == 0) continue;
      for (int q = qs.first; q <= qs.last; ++q) {
        const T w = above * columns.weight<T>(q, j);
        if (w == 0) continue;
        const Pack<T, V> d = load_pack<V>(dy + place(out, n, p, q, c));
        for (int v = 0; v < V; ++v) sum[v] += w * d[v];
      }
    }
    store_pack(dx + place(in, n, i, j, c), sum);
  });
}

}  // namespace

void upsample_bilinear(const Tensor& x, Align align, Tensor& y) {
  const ImageSize in(x.shape()), out(y.shape());
  const ResizeAxis rows(in.H, out.H, align), columns(in.W, out.W, align);
  with_packs(x.dtype(), in.C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    constexpr int V = pack_size();
    const RowGrid g = row_grid(out, V);
    launch("upsample_bilinear", upsample_bilinear_kernel<T, V>, g.grid, g.block, 0, x.data<T>(), in,
           out, rows, columns, y.data<T>());
  });
}

void upsample_bilinear_backward(const Tensor& dy, Align align, Tensor& dx) {
  const ImageSize in(dx.shape()), out(dy.shape());
  const ResizeAxis rows(in.H, out.H, align), columns(in.W, out.W, align);
  with_packs(dx.dtype(), in.C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    constexpr int V = pack_size();
    const RowGrid g = row_grid(in, V);
    launch("upsample_bilinear_backward", upsample_bilinear_backward_kernel<T, V>, g.grid, g.block,
           0, dy.data<T>(), out, in, rows, columns, dx.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
