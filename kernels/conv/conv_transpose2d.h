#pragma once
// conv_transpose2d: the transpose of conv2d as a layer of its own ("deconvolution"), channels-last.
//
//   x, dx  [N,H,W,I]
//   w, dw  [I,kh,kw,O/groups]
//   y, dy  [N,Ho,Wo,O],
//          Ho = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1
//   bias   [O]
//   f32, f64; simt and cuda: also bf16, summed in f32, beside which dw and dbias may be f32
//
//   forward   y[n, i stride + u dilation - padding, j stride + v dilation - padding, o'] sums
//             x[n,i,j,c] w[c,u,v,o] over all that land there,  o' = o + (c / (I/groups)) O/groups
//
// Read w as the weights [O,kh,kw,C/groups] of a convolution that maps y's shape to x's. Then the
// forward here is that convolution's backward_data, the gradient of x is its forward, and the
// gradient of w is its backward_weights with x and dy in each other's place.
#include "kernels/conv/conv2d.h"

namespace cairn {

struct ConvTranspose2dOptions {
  int stride = 1;
  int padding = 0;
  int output_padding = 0;  ///< rows and columns added below and to the right; less than stride
  int dilation = 1;
  int groups = 1;
  Conv2dOptions transposed() const { return {stride, padding, dilation, groups}; }
};

/// The output height or width for an input of `size` and a kernel of `kernel` taps.
inline int64_t conv_transpose2d_output_size(int64_t size, int64_t kernel,
                                            const ConvTranspose2dOptions& o) {
  return (size - 1) * o.stride - 2 * o.padding + o.dilation * (kernel - 1) + o.output_padding + 1;
}

CAIRN_ON_EACH_DEVICE(void conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor* bias,
                                           const ConvTranspose2dOptions& options, Tensor& y);
                     void conv_transpose2d_backward_data(const Tensor& dy, const Tensor& w,
                                                         const ConvTranspose2dOptions& options,
                                                         Tensor& dx);
                     void conv_transpose2d_backward_weights(const Tensor& x, const Tensor& dy,
                                                            const ConvTranspose2dOptions& options,
                                                            Tensor& dw, Tensor* dbias);)

/// y = transposed convolution of x, plus bias unless null.
inline void conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor* bias,
                             const ConvTranspose2dOptions& options, Tensor& y) {
  CAIRN_DISPATCH(y.device(), conv_transpose2d, x, w, bias, options, y);
}

inline void conv_transpose2d_backward_data(const Tensor& dy, const Tensor& w,
                                           const ConvTranspose2dOptions& options, Tensor& dx) {
  CAIRN_DISPATCH(dx.device(), conv_transpose2d_backward_data, dy, w, options, dx);
}

/// dw, and dbias unless null.
inline void conv_transpose2d_backward_weights(const Tensor& x, const Tensor& dy,
                                              const ConvTranspose2dOptions& options, Tensor& dw,
                                              Tensor* dbias) {
  CAIRN_DISPATCH(dw.device(), conv_transpose2d_backward_weights, x, dy, options, dw, dbias);
}

}  // namespace cairn
