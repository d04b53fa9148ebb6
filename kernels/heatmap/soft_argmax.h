#pragma once
// soft_argmax: mean and variance of the spatial softmax of each channel, without storing the
// softmax.
//
//   logits           [N,H,W,K]; f32 (f64 on cpu)
//   point, variance  [N,K,2]: (x, y) and their variances in unit half-pixel coordinates
//   stats            [N,K,2]: max z and S = sum_u exp(gain (z_u - max z)); what the backward needs
//
//   h_u = exp(gain (z_u - max z)) / S,  x_u = (column + 1/2) / W,  y_u = (row + 1/2) / H
//   x = sum_u h_u x_u,  vx = sum_u h_u (x_u - x)^2,  y and vy likewise
//
// Gradient:  dz_u = gain h_u [ dx (x_u-x) + dvx ((x_u-x)^2 - vx) + dy (y_u-y) + dvy ((y_u-y)^2 -
// vy) ].
//
// A map with a floor of total weight r is drawn to the centre: x = (1-r) x0 + r/2. Sharpen it with
// the gain, or take spatial_moments of a non-negative map.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void soft_argmax(const Tensor& logits, double gain, Tensor& point,
                                      Tensor& variance, Tensor& stats);
                     void soft_argmax_backward(const Tensor& logits, const Tensor& point,
                                               const Tensor& variance, const Tensor& stats,
                                               const Tensor& dpoint, const Tensor& dvariance,
                                               double gain, Tensor& dlogits);)

inline void soft_argmax(const Tensor& logits, double gain, Tensor& point, Tensor& variance,
                        Tensor& stats) {
  CAIRN_DISPATCH(logits.device(), soft_argmax, logits, gain, point, variance, stats);
}

inline void soft_argmax_backward(const Tensor& logits, const Tensor& point, const Tensor& variance,
                                 const Tensor& stats, const Tensor& dpoint, const Tensor& dvariance,
                                 double gain, Tensor& dlogits) {
  CAIRN_DISPATCH(logits.device(), soft_argmax_backward, logits, point, variance, stats, dpoint,
                 dvariance, gain, dlogits);
}

}  // namespace cairn
