#pragma once
// Mean squared error: l(e) = e^2, l'(e) = 2e, masked or weighted; shapes, weights and divisors in
// pointwise_loss.h.
#include "kernels/dispatch.h"
#include "kernels/loss/pointwise_loss.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void mse(const Tensor& x, const Tensor& target, const Tensor& weight,
                              LossMean mean, Tensor& loss, Tensor& factor);
                     void mse_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                                       const Tensor& factor, const Tensor& dloss, Tensor& dx);)

/// Writes loss and factor.
inline void mse(const Tensor& x, const Tensor& target, const Tensor& weight, LossMean mean,
                Tensor& loss, Tensor& factor) {
  CAIRN_DISPATCH(x.device(), mse, x, target, weight, mean, loss, factor);
}

/// Writes dx. With x and target exchanged it writes the gradient of the target.
inline void mse_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                         const Tensor& factor, const Tensor& dloss, Tensor& dx) {
  CAIRN_DISPATCH(x.device(), mse_backward, x, target, weight, factor, dloss, dx);
}

}  // namespace cairn
