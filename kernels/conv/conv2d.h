#pragma once
// conv2d: two-dimensional convolution (cross-correlation, as in every framework), channels-last.
//
//   x, dx  [N,H,W,C]
//   w, dw  [O,kh,kw,C/groups]
//   y, dy  [N,Ho,Wo,O],  Ho = (H + 2 padding - dilation (kh - 1) - 1) / stride + 1 (rounded down)
//   bias   [O]
//   f32, f64; also bf16, summed in f32 (cpu: the forward alone), beside which dw and dbias may be
//   f32: the sums as they are
//
//   forward   y[n,i,j,o] = sum over u,v,c of
//                          x[n, i stride + u dilation - padding, j stride + v dilation - padding,
//                          c']
//                          * w[o,u,v,c],  x = 0 outside,  c' = c + (o / (O/groups)) C/groups
//   backward  dx and dw are the two transposes of that sum; dbias[o] = sum of dy[.,.,.,o].
//
// The epilogue (bias, activation, 2x2 max pool) runs while the output is still in registers or
// cache; sigmoid and softplus of a GPU's output follow in a pass over it.
#include "kernels/activation_kind.h"
#include "kernels/dispatch.h"

namespace cairn {

/// The same in both directions of the image.
struct Conv2dOptions {
  int stride = 1;
  int padding = 0;
  int dilation = 1;
  int groups = 1;
  bool operator==(const Conv2dOptions&) const = default;
};

/// What happens to the sum before it is written: y = pool2(act(sum + bias)).
struct Epilogue {
  const Tensor* bias = nullptr;  ///< [O], or none
  Activation act = Activation::none;
  float slope = 0;  ///< of leaky_relu
  bool pool2 =
      false;  ///< 2x2 max pool, stride 2: y is [N,Ho/2,Wo/2,O], odd rows and columns dropped
};

/// The output height or width for an input of `size` and a kernel of `kernel` taps; 0 or less if
/// the kernel does not fit.
inline int64_t conv2d_output_size(int64_t size, int64_t kernel, const Conv2dOptions& o) {
  const int64_t room = size + 2 * o.padding - o.dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / o.stride + 1;
}

CAIRN_ON_EACH_DEVICE(void conv2d(const Tensor& x, const Tensor& w, const Conv2dOptions& options,
                                 const Epilogue& epilogue, Tensor& y);
                     void conv2d_backward_data(const Tensor& dy, const Tensor& w,
                                               const Conv2dOptions& options, Tensor& dx);
                     void conv2d_backward_weights(const Tensor& x, const Tensor& dy,
                                                  const Conv2dOptions& options, Tensor& dw,
                                                  Tensor* dbias);)

/// y = pool2(act(conv(x, w) + bias)).
inline void conv2d(const Tensor& x, const Tensor& w, const Conv2dOptions& options,
                   const Epilogue& epilogue, Tensor& y) {
  CAIRN_DISPATCH(y.device(), conv2d, x, w, options, epilogue, y);
}

/// dx from dy, the gradient of the plain sum (no epilogue). Rows of x that no output read get 0.
inline void conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                                 Tensor& dx) {
  CAIRN_DISPATCH(dx.device(), conv2d_backward_data, dy, w, options, dx);
}

/// dw, and dbias unless null.
inline void conv2d_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                                    Tensor& dw, Tensor* dbias) {
  CAIRN_DISPATCH(dw.device(), conv2d_backward_weights, x, dy, options, dw, dbias);
}

}  // namespace cairn
