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

template <int V>
CAIRN_KERNEL void upsample_bilinear_kernel(const float* x, ImageSize in, ImageSize out,
                                           ResizeAxis rows, ResizeAxis columns, float* y) {
  for_each_pack<V>(out, [&](int64_t n, int i, int j, int c) {
    const auto p = rows.source<float>(i);
    const auto q = columns.source<float>(j);
    const Pack<float, V> a = load_pack<V>(x + place(in, n, p.low, q.low, c));
    const Pack<float, V> b = load_pack<V>(x + place(in, n, p.low, q.high, c));
    const Pack<float, V> d = load_pack<V>(x + place(in, n, p.high, q.low, c));
    const Pack<float, V> e = load_pack<V>(x + place(in, n, p.high, q.high, c));
    Pack<float, V> mean;
    for (int v = 0; v < V; ++v)
      mean[v] = (1 - p.weight) * ((1 - q.weight) * a[v] + q.weight * b[v]) +
                p.weight * ((1 - q.weight) * d[v] + q.weight * e[v]);
    store_pack(y + place(out, n, i, j, c), mean);
  });
}

template <int V>
CAIRN_KERNEL void upsample_bilinear_backward_kernel(const float* dy, ImageSize out, ImageSize in,
                                                    ResizeAxis rows, ResizeAxis columns,
                                                    float* dx) {
  for_each_pack<V>(in, [&](int64_t n, int i, int j, int c) {
    const ResizeAxis::Range ps = rows.readers(i), qs = columns.readers(j);
    Pack<float, V> sum{};
    for (int p = ps.first; p <= ps.last; ++p) {
      const float above = rows.weight<float>(p, i);
      if (above == 0) continue;
      for (int q = qs.first; q <= qs.last; ++q) {
        const float w = above * columns.weight<float>(q, j);
        if (w == 0) continue;
        const Pack<float, V> d = load_pack<V>(dy + place(out, n, p, q, c));
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
  with_pack_size(in.C, [&](auto pack_size) {
    constexpr int V = pack_size();
    const RowGrid g = row_grid(out, V);
    launch("upsample_bilinear", upsample_bilinear_kernel<V>, g.grid, g.block, 0, x.data<float>(),
           in, out, rows, columns, y.data<float>());
  });
}

void upsample_bilinear_backward(const Tensor& dy, Align align, Tensor& dx) {
  const ImageSize in(dx.shape()), out(dy.shape());
  const ResizeAxis rows(in.H, out.H, align), columns(in.W, out.W, align);
  with_pack_size(in.C, [&](auto pack_size) {
    constexpr int V = pack_size();
    const RowGrid g = row_grid(in, V);
    launch("upsample_bilinear_backward", upsample_bilinear_backward_kernel<V>, g.grid, g.block, 0,
           dy.data<float>(), out, in, rows, columns, dx.data<float>());
  });
}

}  // namespace cairn::CAIRN_NS
