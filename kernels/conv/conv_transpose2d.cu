// conv_transpose2d: the three kernels of conv2d (conv2d.cu) with x and y in each other's place.
//
//   Launch    as conv2d's backward_data (the forward), forward (the gradient of x) and
//             backward_weights; the bias is added as the sums are written.
//   Traffic   and FLOPs and floor: theirs, for the same shapes.
//   Repeats   bitwise, as they do.
#include "kernels/conv/conv_transpose2d.h"

#include "kernels/conv/conv2d_parts.h"

namespace cairn::CAIRN_NS {

void conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor* bias,
                      const ConvTranspose2dOptions& options, Tensor& y) {
  convolve_back(x, w, options.transposed(), bias, y);
}

void conv_transpose2d_backward_data(const Tensor& dy, const Tensor& w,
                                    const ConvTranspose2dOptions& options, Tensor& dx) {
  CAIRN_NS::conv2d(dy, w, options.transposed(), {}, dx);
}

void conv_transpose2d_backward_weights(const Tensor& x, const Tensor& dy,
                                       const ConvTranspose2dOptions& options, Tensor& dw,
                                       Tensor* dbias) {
  CAIRN_NS::conv2d_backward_weights(dy, x, options.transposed(), dw, nullptr);
  if (dbias) sum_pixels(dy, *dbias);
}

}  // namespace cairn::CAIRN_NS
