#pragma once
// Binary cross entropy of logits x and targets t in 0..1, masked or weighted:
//
//   l(x, t)  = max(x, 0) - x t + log(1 + exp(-|x|)),   dl/dx = 1 / (1 + exp(-x)) - t
//
// No gradient for the target. Shapes, weights and divisors in pointwise_loss.h.
#include <cmath>

#include "kernels/dispatch.h"
#include "kernels/loss/pointwise_loss.h"

namespace cairn {

struct BinaryCrossEntropy {
  template <class T>
  CAIRN_HD T value(T x, T t) const {
    return (x > 0 ? x : T(0)) - x * t + std::log1p(std::exp(x > 0 ? -x : x));
  }
  template <class T>
  CAIRN_HD T slope(T x, T t) const {
    return 1 / (1 + std::exp(-x)) - t;
  }
};

CAIRN_ON_EACH_DEVICE(void bce_with_logits(const Tensor& x, const Tensor& target,
                                          const Tensor& weight, LossMean mean, Tensor& loss,
                                          Tensor& factor);
                     void bce_with_logits_backward(const Tensor& x, const Tensor& target,
                                                   const Tensor& weight, const Tensor& factor,
                                                   const Tensor& dloss, Tensor& dx);)

/// Writes loss and factor.
inline void bce_with_logits(const Tensor& x, const Tensor& target, const Tensor& weight,
                            LossMean mean, Tensor& loss, Tensor& factor) {
  CAIRN_DISPATCH(x.device(), bce_with_logits, x, target, weight, mean, loss, factor);
}

/// Writes dx.
inline void bce_with_logits_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                                     const Tensor& factor, const Tensor& dloss, Tensor& dx) {
  CAIRN_DISPATCH(x.device(), bce_with_logits_backward, x, target, weight, factor, dloss, dx);
}

}  // namespace cairn
