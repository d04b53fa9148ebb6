#pragma once
// isotropic_deviation: the standard deviation of the isotropic Gaussian with a map's mean variance.
//
//   variance  [N,K,2]: of x and y in unit coordinates, >= 0; f32 or f64
//   aspect    width / height of the frame, whose area counts as 1
//   sigma     [N,K] = sqrt(max(v, 1e-12)),  v = (vx aspect + vy / aspect) / 2
//
// Gradient:  dvx = dsigma aspect / (4 sigma), dvy = dsigma / (4 aspect sigma); 0 where v < 1e-12.
//
// Source: the fitted Gaussians of Zhang et al., "Unsupervised Discovery of Object Landmarks as
// Structural Representations", CVPR 2018.
#include <cmath>

#include "kernels/dispatch.h"

namespace cairn {

/// Of one landmark; writes the slopes by its variances.
template <class T>
CAIRN_HD inline T isotropic_sigma(T vx, T vy, T aspect, T* slope_x, T* slope_y) {
  const T v = (vx * aspect + vy / aspect) / 2, least = T(1e-12);
  const T sigma = std::sqrt(v > least ? v : least);
  *slope_x = v > least ? aspect / (4 * sigma) : T(0);
  *slope_y = v > least ? 1 / (4 * aspect * sigma) : T(0);
  return sigma;
}

CAIRN_ON_EACH_DEVICE(void isotropic_deviation(const Tensor& variance, double aspect, Tensor& sigma);
                     void isotropic_deviation_backward(const Tensor& variance, double aspect,
                                                       const Tensor& dsigma, Tensor& dvariance);)

inline void isotropic_deviation(const Tensor& variance, double aspect, Tensor& sigma) {
  CAIRN_DISPATCH(sigma.device(), isotropic_deviation, variance, aspect, sigma);
}

inline void isotropic_deviation_backward(const Tensor& variance, double aspect,
                                         const Tensor& dsigma, Tensor& dvariance) {
  CAIRN_DISPATCH(dvariance.device(), isotropic_deviation_backward, variance, aspect, dsigma,
                 dvariance);
}

}  // namespace cairn
