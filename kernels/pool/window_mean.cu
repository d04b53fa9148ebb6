// window_mean: the mean of every window, and back to a pixel from every window that contains it.
//
//   Launch    one thread per pixel that is written and four channels, or one where C is no multiple
//             of four; a block per image row and 256 of them.
//   Traffic   8 B an element, each way, from memory; an element is read size^2 times, mostly from
//             the first-level cache: bandwidth-bound for small windows; floor = 8 B * count /
//             bandwidth.
//   Work      size^2 additions an element.
//   Repeats   bitwise: every element has one writer and a fixed order.
#include "kernels/pool/window_mean.h"

#include "kernels/image_rows_device.h"

namespace cairn::CAIRN_NS {
namespace {

// The size x size pixels that begin `padding` rows and columns before each: those of a window, or
// (backward) the windows that contain a pixel.
template <class T, int V>
CAIRN_KERNEL void window_sums_kernel(const T* from, ImageSize in, int size, int padding, T* to,
                                     ImageSize out) {
  const T share = T(1) / T(size * size);
  for_each_pack<V>(out, [&](int64_t n, int i, int j, int c) {
    const int top = i - padding, left = j - padding;
    Pack<T, V> sum{};
    for (int r = max(top, 0); r < min(top + size, in.H); ++r)
      for (int q = max(left, 0); q < min(left + size, in.W); ++q) {
        const Pack<T, V> p = load_pack<V>(from + place(in, n, r, q, c));
        for (int k = 0; k < V; ++k) sum[k] += p[k];
      }
    for (int k = 0; k < V; ++k) sum[k] *= share;
    store_pack(to + place(out, n, i, j, c), sum);
  });
}

void window_sums(const char* name, const Tensor& from, int size, int padding, Tensor& to) {
  const ImageSize in(from.shape()), out(to.shape());
  with_packs(to.dtype(), out.C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    constexpr int V = pack_size();
    const RowGrid g = row_grid(out, V);
    launch(name, window_sums_kernel<T, V>, g.grid, g.block, 0, from.data<T>(), in, size, padding,
           to.data<T>(), out);
  });
}

}  // namespace

void window_mean(const Tensor& x, int size, Tensor& y) {
  window_sums("window_mean", x, size, 0, y);
}

void window_mean_backward(const Tensor& dy, int size, Tensor& dx) {
  window_sums("window_mean_backward", dy, size, size - 1, dx);
}

}  // namespace cairn::CAIRN_NS
