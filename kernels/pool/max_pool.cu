// max_pool: forward with the index of the largest, backward as a gather.
//
//   Launch    one thread per output pixel (backward: input pixel) and 16 bytes of channels, or one
//             channel where they do not divide so; a block per image row and 256 of them.
//   Traffic   2x2 windows, per element of x: forward 4 B read, 1.25 B written; backward 1.25 B
//             read, 4 B written (bf16: 2 and 0.75): bandwidth-bound; floor = 5.25 B (2.75 B) *
//             count / bandwidth. Overlapping windows read again, from the cache.
//   Repeats   bitwise: every element has one writer and a fixed order.
#include "kernels/pool/max_pool.h"

#include "kernels/image_rows_device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T, int V>
CAIRN_KERNEL void max_pool_kernel(const T* x, ImageSize in, ImageSize out, MaxPoolOptions o, T* y,
                                  uint8_t* index) {
  for_each_pack<V>(out, [&](int64_t n, int i, int j, int c) {
    const int top = i * o.stride - o.padding, left = j * o.stride - o.padding;
    Pack<Sum<T>, V> best{};
    Pack<uint8_t, V> at{};
    bool first = true;
    for (int r = max(top, 0); r < min(top + o.size, in.H); ++r)
      for (int q = max(left, 0); q < min(left + o.size, in.W); ++q) {
        const Pack<Sum<T>, V> p = load_wide<V>(x + place(in, n, r, q, c));
        const uint8_t tap = uint8_t((r - top) * o.size + q - left);
        for (int v = 0; v < V; ++v)
          if (first || p[v] > best[v] || p[v] != p[v]) {
            best[v] = p[v];
            at[v] = tap;
          }
        first = false;
      }
    store_rounded(y + place(out, n, i, j, c), best);
    if (index) store_pack(index + place(out, n, i, j, c), at);
  });
}

template <class T, int V>
CAIRN_KERNEL void max_pool_backward_kernel(const T* dy, const uint8_t* index, ImageSize out,
                                           ImageSize in, MaxPoolOptions o, T* dx) {
  for_each_pack<V>(in, [&](int64_t n, int r, int q, int c) {
    // The windows that contain this pixel.
    const int i0 = max(0, (r + o.padding - o.size + o.stride) / o.stride);
    const int j0 = max(0, (q + o.padding - o.size + o.stride) / o.stride);
    const int i1 = min(out.H - 1, (r + o.padding) / o.stride);
    const int j1 = min(out.W - 1, (q + o.padding) / o.stride);
    Pack<Sum<T>, V> sum{};
    for (int i = i0; i <= i1; ++i)
      for (int j = j0; j <= j1; ++j) {
        const int64_t from = place(out, n, i, j, c);
        const Pack<Sum<T>, V> d = load_wide<V>(dy + from);
        const Pack<uint8_t, V> at = load_pack<V>(index + from);
        const int tap = (r + o.padding - i * o.stride) * o.size + q + o.padding - j * o.stride;
        for (int v = 0; v < V; ++v)
          if (at[v] == tap) sum[v] += d[v];
      }
    store_rounded(dx + place(in, n, r, q, c), sum);
  });
}

}  // namespace

void max_pool(const Tensor& x, const MaxPoolOptions& options, Tensor& y, Tensor* index) {
  const ImageSize in(x.shape()), out(y.shape());
  with_real_packs(y.dtype(), out.C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    constexpr int V = pack_size();
    const RowGrid g = row_grid(out, V);
    launch("max_pool", max_pool_kernel<T, V>, g.grid, g.block, 0, x.data<T>(), in, out, options,
           y.data<T>(), index ? index->data<uint8_t>() : nullptr);
  });
}

void max_pool_backward(const Tensor& dy, const Tensor& index, const MaxPoolOptions& options,
                       Tensor& dx) {
  const ImageSize in(dx.shape()), out(dy.shape());
  with_real_packs(dx.dtype(), in.C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    constexpr int V = pack_size();
    const RowGrid g = row_grid(in, V);
    launch("max_pool_backward", max_pool_backward_kernel<T, V>, g.grid, g.block, 0, dy.data<T>(),
           index.data<uint8_t>(), out, in, options, dx.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
