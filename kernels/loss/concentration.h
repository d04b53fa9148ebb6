#pragma once
// concentration: how far the maps of landmarks spread, as the exponential of the entropy of an
// isotropic Gaussian, 2 pi e s^2.
//
//   variance  [N,K,2]: of x and y in unit coordinates, >= 0; f32 or f64
//   aspect    width / height of the frame; variances are measured where its area is 1:
//             vx' = vx aspect, vy' = vy / aspect
//   loss      [1] = (1/N) sum over n and k of 2 pi e s^2; 0 if N is 0
//
//   Spread::variance   s^2 = (vx' + vy') / 2;        d vx' = (1/N) pi e
//   Spread::deviation  s = (sqrt vx' + sqrt vy') / 2;  d vx' = (1/N) pi e s / sqrt vx', where
//                      vx' is taken as 1e-12 if it is less and then has gradient 0
//
// Source: Zhang et al., "Unsupervised Discovery of Object Landmarks as Structural Representations",
// CVPR 2018 (without the square it prints, which an entropy does not have); `deviation` is the
// form of the authors' code.
#include <cmath>

#include "kernels/dispatch.h"

namespace cairn {

enum class Spread : uint8_t { variance, deviation };

/// 2 pi e s^2 of one landmark from its variances in a frame of area 1, and the gradient by them.
template <class T>
CAIRN_HD inline T spread_of(Spread form, T vx, T vy, T* dvx, T* dvy) {
  const T pi_e = T(8.539734222673566), least = T(1e-12);
  if (form == Spread::variance) {
    *dvx = *dvy = pi_e;
    return pi_e * (vx + vy);
  }
  const T sx = std::sqrt(vx > least ? vx : least), sy = std::sqrt(vy > least ? vy : least);
  const T s = (sx + sy) / 2;
  *dvx = vx > least ? pi_e * s / sx : T(0);
  *dvy = vy > least ? pi_e * s / sy : T(0);
  return 2 * pi_e * s * s;
}

CAIRN_ON_EACH_DEVICE(void concentration(const Tensor& variance, double aspect, Spread form,
                                        Tensor& loss);
                     void concentration_backward(const Tensor& variance, double aspect, Spread form,
                                                 const Tensor& dloss, Tensor& dvariance);)

inline void concentration(const Tensor& variance, double aspect, Spread form, Tensor& loss) {
  CAIRN_DISPATCH(loss.device(), concentration, variance, aspect, form, loss);
}

inline void concentration_backward(const Tensor& variance, double aspect, Spread form,
                                   const Tensor& dloss, Tensor& dvariance) {
  CAIRN_DISPATCH(dvariance.device(), concentration_backward, variance, aspect, form, dloss,
                 dvariance);
}

}  // namespace cairn
