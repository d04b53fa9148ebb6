#pragma once
// spatial_moments: mean and variance of a non-negative map, normalised by its sum (zeta).
//
//   map              [N,H,W,K], values >= 0; f32 (f64 on cpu)
//   point, variance  [N,K,2]: (x, y) and their variances in unit half-pixel coordinates
//   zeta             [N,K]: sum_u D_u + 1e-6; what the backward needs
//
//   x = (1/zeta) sum_u D_u x_u,  vx = (1/zeta) sum_u D_u (x_u - x)^2,  y and vy likewise
//   x_u = (column + 1/2) / W,  y_u = (row + 1/2) / H
//
// Gradient:  dD_u = (1/zeta) [ Gx (x_u-x) + dvx ((x_u-x)^2 - vx) + the same in y ],
//   Gx = dx - 2 dvx r_x,  r_x = (1/zeta) sum_u D_u (x_u-x) = x 1e-6/zeta.
//
// A dead map (all zero) has its point at (0, 0) and gradients of up to 1e6 times the upstream one.
// Source: Zhang et al., "Unsupervised Discovery of Object Landmarks as Structural Representations",
// CVPR 2018, equation 2.
#include "kernels/dispatch.h"

namespace cairn {

inline constexpr double spatial_moments_epsilon = 1e-6;

CAIRN_ON_EACH_DEVICE(void spatial_moments(const Tensor& map, Tensor& point, Tensor& variance,
                                          Tensor& zeta);
                     void spatial_moments_backward(const Tensor& point, const Tensor& variance,
                                                   const Tensor& zeta, const Tensor& dpoint,
                                                   const Tensor& dvariance, Tensor& dmap);)

inline void spatial_moments(const Tensor& map, Tensor& point, Tensor& variance, Tensor& zeta) {
  CAIRN_DISPATCH(map.device(), spatial_moments, map, point, variance, zeta);
}

inline void spatial_moments_backward(const Tensor& point, const Tensor& variance,
                                     const Tensor& zeta, const Tensor& dpoint,
                                     const Tensor& dvariance, Tensor& dmap) {
  CAIRN_DISPATCH(dmap.device(), spatial_moments_backward, point, variance, zeta, dpoint, dvariance,
                 dmap);
}

}  // namespace cairn
