// crop_images: crops of images of any sizes.
//
//   Launch    one thread per pixel of the crops, 256 per block, grid-stride; a thread writes its
//             pixel's channels one after the other.
//   Traffic   1 B an element written; read are up to 4 k^2 B an element, of which the caches serve
//             three quarters where the map is smooth: k^2 to 4 k^2 pixels of an image make one.
//             Bandwidth-bound; floor = (pixels that are seen + size of y) / bandwidth.
//   Repeats   bitwise: every element has one writer.
#include "kernels/warp/crop_images.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

CAIRN_KERNEL void crop_images_kernel(const uint8_t* x, const CropSource* sources, const float* maps,
                                     int64_t pixels, int rows, int columns, int C, uint8_t* y) {
  for (int64_t i = global_thread(); i < pixels; i += global_threads()) {
    const int64_t n = i / (int64_t(rows) * columns);
    const int pixel = int(i % (int64_t(rows) * columns));
    const CropPixel<float> p(x, sources[n], maps + 9 * n, float(pixel % columns),
                             float(pixel / columns));
    for (int c = 0; c < C; ++c) y[i * C + c] = p.value(c, C);
  }
}

}  // namespace

void crop_images(const Tensor& x, const Tensor& sources, const Tensor& maps, Tensor& y) {
  const int64_t pixels = y.dim(0) * y.dim(1) * y.dim(2);
  launch("crop_images", crop_images_kernel, blocks_for(pixels, 256), 256, 0, x.data<uint8_t>(),
         static_cast<const CropSource*>(sources.raw()), maps.data<float>(), pixels, int(y.dim(1)),
         int(y.dim(2)), int(y.dim(3)), y.data<uint8_t>());
}

}  // namespace cairn::CAIRN_NS
