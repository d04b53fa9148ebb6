#pragma once
// Jensen-Shannon divergence of maps, element by element, masked or weighted:
//
//   l(p, q)  = (p log(p / m) + q log(q / m)) / 2,  m = (p + q) / 2,   dl/dp = log(p / m) / 2
//
// p, q >= 0; logarithms are of their argument + 1e-24. A sum over all elements of two distributions
// is their divergence. Shapes, weights and divisors in pointwise_loss.h.
// Source: Nibali et al., "Numerical Coordinate Regression with Convolutional Neural Networks",
// 2018.
#include <cmath>

#include "kernels/dispatch.h"
#include "kernels/loss/pointwise_loss.h"

namespace cairn {

struct JensenShannon {
  template <class T>
  CAIRN_HD static T log_ratio(T a, T m) {
    return std::log((a + T(1e-24)) / (m + T(1e-24)));
  }
  template <class T>
  CAIRN_HD T value(T p, T q) const {
    const T m = (p + q) / 2;
    return (p * log_ratio(p, m) + q * log_ratio(q, m)) / 2;
  }
  template <class T>
  CAIRN_HD T slope(T p, T q) const {
    return log_ratio(p, (p + q) / 2) / 2;
  }
};

CAIRN_ON_EACH_DEVICE(void js_divergence(const Tensor& x, const Tensor& target, const Tensor& weight,
                                        LossMean mean, Tensor& loss, Tensor& factor);
                     void js_divergence_backward(const Tensor& x, const Tensor& target,
                                                 const Tensor& weight, const Tensor& factor,
                                                 const Tensor& dloss, Tensor& dx);)

/// Writes loss and factor.
inline void js_divergence(const Tensor& x, const Tensor& target, const Tensor& weight,
                          LossMean mean, Tensor& loss, Tensor& factor) {
  CAIRN_DISPATCH(x.device(), js_divergence, x, target, weight, mean, loss, factor);
}

/// Writes dx. With x and target exchanged it writes the gradient of the target.
inline void js_divergence_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                                   const Tensor& factor, const Tensor& dloss, Tensor& dx) {
  CAIRN_DISPATCH(x.device(), js_divergence_backward, x, target, weight, factor, dloss, dx);
}

}  // namespace cairn
