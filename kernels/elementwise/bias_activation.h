#pragma once
// bias_activation: y = act(x + bias), the bias per channel.
//
//   x, y, dx, dy  [..., C]; f32 or f64, simt and cuda: also bf16
//   bias, dbias   [C], or none; f32 beside bf16
//
//   backward  dx = dy act'(z),  dbias[c] = sum of dx[..., c]
//             act' is a function of y (kernels/activation.h), so neither x nor z is kept. At the
//             kinks of relu, leaky_relu and relu6 it is the derivative of the flat side.
#include "kernels/activation_kind.h"
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void bias_activation(const Tensor& x, const Tensor* bias, Activation act,
                                          float slope, Tensor& y);
                     void bias_activation_backward(const Tensor& y, const Tensor& dy,
                                                   Activation act, float slope, Tensor* dx,
                                                   Tensor* dbias);)

/// y = act(x + bias); `slope` is leaky_relu's. y may be x.
inline void bias_activation(const Tensor& x, const Tensor* bias, Activation act, float slope,
                            Tensor& y) {
  CAIRN_DISPATCH(y.device(), bias_activation, x, bias, act, slope, y);
}

/// dx and dbias, each unless null.
inline void bias_activation_backward(const Tensor& y, const Tensor& dy, Activation act, float slope,
                                     Tensor* dx, Tensor* dbias) {
  CAIRN_DISPATCH(y.device(), bias_activation_backward, y, dy, act, slope, dx, dbias);
}

}  // namespace cairn
