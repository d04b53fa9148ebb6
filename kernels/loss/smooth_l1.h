#pragma once
// Smooth L1 (Girshick, "Fast R-CNN", ICCV 2015, with the beta of PyTorch), masked or weighted:
//
//   l(e)  = e^2 / (2 beta)  if |e| < beta, else |e| - beta / 2
//   l'(e) = clamp(e / beta, -1, 1);     beta = 0 is the absolute error, with l'(0) = 0
//
// Shapes, weights and divisors in pointwise_loss.h.
#include "kernels/dispatch.h"
#include "kernels/loss/pointwise_loss.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void smooth_l1(const Tensor& x, const Tensor& target, const Tensor& weight,
                                    double beta, LossMean mean, Tensor& loss, Tensor& factor);
                     void smooth_l1_backward(const Tensor& x, const Tensor& target,
                                             const Tensor& weight, double beta,
                                             const Tensor& factor, const Tensor& dloss,
                                             Tensor& dx);)

/// Writes loss and factor.
inline void smooth_l1(const Tensor& x, const Tensor& target, const Tensor& weight, double beta,
                      LossMean mean, Tensor& loss, Tensor& factor) {
  CAIRN_DISPATCH(x.device(), smooth_l1, x, target, weight, beta, mean, loss, factor);
}

/// Writes dx. With x and target exchanged it writes the gradient of the target.
inline void smooth_l1_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                               double beta, const Tensor& factor, const Tensor& dloss, Tensor& dx) {
  CAIRN_DISPATCH(x.device(), smooth_l1_backward, x, target, weight, beta, factor, dloss, dx);
}

}  // namespace cairn
