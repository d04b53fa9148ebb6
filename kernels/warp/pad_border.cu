// pad_border: an image on a larger ground of the mean colour of its border.
//
//   Launch    a block of 256 per image and channel finds the mean; then one thread per element of
//             y, grid-stride.
//   Traffic   8 B (H + W) per image and channel, then 4 B read inside and 4 B written per element
//             of y: bandwidth-bound; floor = that / bandwidth.
//   Work      an addition per pixel of the border and channel.
//   Repeats   bitwise: the border is summed in a fixed tree.
#include "kernels/warp/pad_border.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

struct PadSizes {
  int H, W, C, padding;
};

// Border pixel b of 2 W + 2 (H - 2): the first row, the last one, then left and right in turn.
CAIRN_DEVICE int border_pixel(const PadSizes& s, int b) {
  if (b < s.W) return b;
  const int rest = b - s.W;
  if (s.H > 1 && rest < s.W) return (s.H - 1) * s.W + rest;
  const int side = rest - s.W;
  if (s.W == 1) return side + 1;
  return (1 + side / 2) * s.W + (side % 2 ? s.W - 1 : 0);
}
CAIRN_DEVICE int border_pixels(const PadSizes& s) {
  if (s.H == 1) return s.W;
  return 2 * s.W + (s.H - 2) * (s.W == 1 ? 1 : 2);
}

template <class T>
CAIRN_KERNEL void border_mean_kernel(const T* x, PadSizes s, T* mean) {
  const int n = int(blockIdx.x) / s.C, c = int(blockIdx.x) % s.C, count = border_pixels(s);
  const T* image = x + int64_t(n) * s.H * s.W * s.C + c;
  T sum = 0;
  for (int b = int(threadIdx.x); b < count; b += 256)
    sum += image[int64_t(border_pixel(s, b)) * s.C];
  sum = block_sum<256>(sum);
  if (threadIdx.x == 0) mean[blockIdx.x] = sum / T(count);
}

template <class T>
CAIRN_KERNEL void pad_border_kernel(const T* x, const T* mean, PadSizes s, int64_t count, T* y) {
  const int Ho = s.H + 2 * s.padding, Wo = s.W + 2 * s.padding;
  for (int64_t at = global_thread(); at < count; at += global_threads()) {
    const int c = int(at % s.C), j = int(at / s.C % Wo) - s.padding,
              i = int(at / s.C / Wo % Ho) - s.padding;
    const int64_t n = at / s.C / Wo / Ho;
    const bool inside = i >= 0 && i < s.H && j >= 0 && j < s.W;
    y[at] = inside ? x[((n * s.H + i) * s.W + j) * s.C + c] : mean[n * s.C + c];
  }
}

}  // namespace

void pad_border(const Tensor& x, int padding, Tensor& y) {
  const PadSizes s{int(x.dim(1)), int(x.dim(2)), int(x.dim(3)), padding};
  Tensor mean = x.empty_like({x.dim(0), x.dim(3)});
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("pad_border", border_mean_kernel<T>, Dim3(mean.count()), 256, 0, x.data<T>(), s,
           mean.data<T>());
    launch("pad_border", pad_border_kernel<T>, blocks_for(y.count(), 256), 256, 0, x.data<T>(),
           mean.data<T>(), s, y.count(), y.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
