#pragma once
// landmark_maps: the softmax over the channels of each pixel, K landmarks and a background, with
// mean and variance of the landmarks' maps; in one pass.
//
//   logits           [N,H,W,K+1], the background last; f32 (f64 on cpu); K+1 <= 64 but on cpu
//   maps             [N,H,W,K+1]
//   point, variance  [N,K,2]: (x, y) and their variances in unit half-pixel coordinates
//   zeta             [N,K]: the sum of a map + 1e-6; what the backward needs
//
//   D_c = exp(z_c - max z) / sum_m exp(z_m - max z), of every pixel
//   zeta, x, y, vx, vy of the first K maps: see spatial_moments.h
//
// Gradient:  dD = dmaps + the gradient of spatial_moments (none for the background),
//   dz_c = D_c (dD_c - sum_m dD_m D_m).
//
// A dead landmark (zeta about 1e-6) has its point at (0, 0), and gets next to no gradient.
// Source: Zhang et al., "Unsupervised Discovery of Object Landmarks as Structural Representations",
// CVPR 2018.
#include "kernels/dispatch.h"

namespace cairn {

/// The most channels, K+1, on a device other than cpu.
inline constexpr int64_t landmark_maps_channels = 64;

CAIRN_ON_EACH_DEVICE(void landmark_maps(const Tensor& logits, Tensor& maps, Tensor& point,
                                        Tensor& variance, Tensor& zeta);
                     void landmark_maps_backward(const Tensor& maps, const Tensor& point,
                                                 const Tensor& variance, const Tensor& zeta,
                                                 const Tensor& dmaps, const Tensor& dpoint,
                                                 const Tensor& dvariance, Tensor& dlogits);)

inline void landmark_maps(const Tensor& logits, Tensor& maps, Tensor& point, Tensor& variance,
                          Tensor& zeta) {
  CAIRN_DISPATCH(logits.device(), landmark_maps, logits, maps, point, variance, zeta);
}

/// `dmaps` undefined: 0.
inline void landmark_maps_backward(const Tensor& maps, const Tensor& point, const Tensor& variance,
                                   const Tensor& zeta, const Tensor& dmaps, const Tensor& dpoint,
                                   const Tensor& dvariance, Tensor& dlogits) {
  CAIRN_DISPATCH(dlogits.device(), landmark_maps_backward, maps, point, variance, zeta, dmaps,
                 dpoint, dvariance, dlogits);
}

}  // namespace cairn
