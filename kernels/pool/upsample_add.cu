// upsample_add: a map doubled in size, and the sum with a larger one.
//
//   Launch    one thread per pixel of low and 16 bytes of channels, or one channel where they do
//             not divide so; a block per image row of low and 256 of them.
//   Traffic   4 B + 4 (4 B + 4 B) per element of low, in bf16 half of that: bandwidth-bound;
//             floor = that * count / bandwidth. The doubled map alone, and the sum after it, would
//             move 60 B.
//   Repeats   bitwise: every element has one writer.
//   Exact     one addition, as on cpu (bf16: rounded once).
#include "kernels/pool/upsample_add.h"

#include "kernels/image_rows_device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T, int V>
CAIRN_KERNEL void upsample_add_kernel(const T* skip, const T* low, ImageSize in, ImageSize out,
                                      T* y) {
  for_each_pack<V>(in, [&](int64_t n, int i, int j, int c) {
    const Pack<Sum<T>, V> p = load_wide<V>(low + place(in, n, i, j, c));
    for (int u = 0; u < 2; ++u)
      for (int v = 0; v < 2; ++v) {
        const int64_t at = place(out, n, 2 * i + u, 2 * j + v, c);
        Pack<Sum<T>, V> sum = load_wide<V>(skip + at);
        for (int k = 0; k < V; ++k) sum[k] += p[k];
        store_rounded(y + at, sum);
      }
  });
}

}  // namespace

void upsample_add(const Tensor& skip, const Tensor& low, Tensor& y) {
  const ImageSize in(low.shape()), out(y.shape());
  with_real_packs(y.dtype(), in.C, [&](auto type, auto pack_size) {
    using T = decltype(type);
    constexpr int V = pack_size();
    const RowGrid g = row_grid(in, V);
    launch("upsample_add", upsample_add_kernel<T, V>, g.grid, g.block, 0, skip.data<T>(),
           low.data<T>(), in, out, y.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
