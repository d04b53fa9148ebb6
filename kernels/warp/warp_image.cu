// warp_image: images seen through a homography or an affine map, and where they are valid.
//
//   Launch    one thread per output pixel, 256 per block, grid-stride; a thread writes its pixel's
//             channels one after the other (1 or 3 as a rule).
//   Traffic   4 B a channel written and, where the map is smooth, about as much read (the caches
//             serve the other three taps); 20 flops and one division a pixel. Bandwidth-bound;
//             floor = (size of x + size of y) / bandwidth.
//   Repeats   bitwise: every element has one writer.
#include "kernels/warp/warp_image.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

struct Warp {
  const float* matrices;
  int64_t pixels;  ///< of all outputs
  int height, width, channels, rows, columns;
  Padding padding;
  uint8_t* valid;
};

CAIRN_DEVICE void store(float* to, float value) { *to = value; }
CAIRN_DEVICE void store(uint8_t* to, float value) { *to = uint8_t(value + 0.5f); }

template <class P>
CAIRN_DEVICE void nearest(const Warp& w, const P* image, const Projected<float>& p, P* out) {
  const bool zero = w.padding == Padding::zeros && !p.inside(w.height, w.width);
  const P* from =
      image + (nearest_pixel(p.y, w.height) * w.width + nearest_pixel(p.x, w.width)) * w.channels;
  for (int c = 0; c < w.channels; ++c) out[c] = zero ? P(0) : from[c];
}

template <class P>
CAIRN_DEVICE void bilinear(const Warp& w, const P* image, const Projected<float>& p, P* out) {
  const auto u = axis_tap(p.x, w.width, w.padding), v = axis_tap(p.y, w.height, w.padding);
  const P *upper = image + v.at[0] * w.width * w.channels,
          *lower = image + v.at[1] * w.width * w.channels;
  const int64_t left = u.at[0] * w.channels, right = u.at[1] * w.channels;
  for (int c = 0; c < w.channels; ++c)
    store(out + c, v.weight[0] * (u.weight[0] * float(upper[left + c]) +
                                  u.weight[1] * float(upper[right + c])) +
                       v.weight[1] * (u.weight[0] * float(lower[left + c]) +
                                      u.weight[1] * float(lower[right + c])));
}

template <class P, Interpolation How>
CAIRN_KERNEL void warp_kernel(Warp w, const P* x, P* y) {
  for (int64_t i = global_thread(); i < w.pixels; i += global_threads()) {
    const int64_t n = i / (int64_t(w.rows) * w.columns);
    const int pixel = int(i % (int64_t(w.rows) * w.columns));
    const Projected<float> p(w.matrices + 9 * n, float(pixel % w.columns),
                             float(pixel / w.columns));
    const P* image = x + n * w.height * w.width * w.channels;
    P* out = y + i * w.channels;
    if (!p.defined)
      for (int c = 0; c < w.channels; ++c) out[c] = P(0);
    else if (How == Interpolation::nearest)
      nearest(w, image, p, out);
    else
      bilinear(w, image, p, out);
    if (w.valid) w.valid[i] = p.inside(w.height, w.width);
  }
}

template <class P>
void warp(const Tensor& x, const Tensor& matrices, const WarpOptions& options, Tensor& y,
          Tensor* valid) {
  const int64_t pixels = y.dim(0) * y.dim(1) * y.dim(2);
  const Warp w{matrices.data<float>(), pixels,          int(x.dim(1)),
               int(x.dim(2)),          int(x.dim(3)),   int(y.dim(1)),
               int(y.dim(2)),          options.padding, valid ? valid->data<uint8_t>() : nullptr};
  const auto kernel = options.interpolation == Interpolation::nearest
                          ? warp_kernel<P, Interpolation::nearest>
                          : warp_kernel<P, Interpolation::bilinear>;
  launch("warp_image", kernel, blocks_for(pixels, 256), 256, 0, w, x.data<P>(), y.data<P>());
}

}  // namespace

void warp_image(const Tensor& x, const Tensor& matrices, const WarpOptions& options, Tensor& y,
                Tensor* valid) {
  if (x.dtype() == DType::u8)
    warp<uint8_t>(x, matrices, options, y, valid);
  else
    warp<float>(x, matrices, options, y, valid);
}

}  // namespace cairn::CAIRN_NS
