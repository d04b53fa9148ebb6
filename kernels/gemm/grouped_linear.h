#pragma once
// grouped_linear: a linear map of its own for each group, and one bias for all of them.
//
//   x       [N,K,I]; f32 or f64
//   weight  [K,O,I]
//   bias    [O], or none
//   y       [N,K,O]
//
//   y_nk = W_k x_nk + b
//
// Gradient:  dx_nk = W_k^T dy_nk,  dW_k = sum_n dy_nk x_nk^T,  db = sum_n,k dy_nk.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void grouped_linear(const Tensor& x, const Tensor& weight, const Tensor* bias,
                                         Tensor& y);
                     void grouped_linear_backward(const Tensor& x, const Tensor& weight,
                                                  const Tensor& dy, Tensor* dx, Tensor* dweight,
                                                  Tensor* dbias);)

/// `bias` may be null.
inline void grouped_linear(const Tensor& x, const Tensor& weight, const Tensor* bias, Tensor& y) {
  CAIRN_DISPATCH(y.device(), grouped_linear, x, weight, bias, y);
}

/// Any of the gradients may be null.
inline void grouped_linear_backward(const Tensor& x, const Tensor& weight, const Tensor& dy,
                                    Tensor* dx, Tensor* dweight, Tensor* dbias) {
  CAIRN_DISPATCH(dy.device(), grouped_linear_backward, x, weight, dy, dx, dweight, dbias);
}

}  // namespace cairn
