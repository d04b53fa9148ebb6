#pragma once
// field_moments: mean and variance of a field of places under distributions over the pixels.
//
//   p         [N,H,W,K], which sums to 1 over the pixels u of each map; f32 (f64 on cpu)
//   field     [N,H,W,2]: the place g(u) of each pixel, for all maps of an image, in any unit
//   mean      [N,K,2] = sum_u p_u g(u)
//   variance  [N,K]   = sum_u p_u |g(u) - mean|^2, the trace of the covariance
//
// Gradient:  dp_u = <g(u), dmean> + dvariance |g(u) - mean|^2;  none by the field.
//
// Where the field is that of the pixel centres, the mean is the soft-argmax. For two independent
// places, u with distribution p and v with q,
//   sum_u sum_v p_u q_v |u - g(v)|^2 = |mean_p - mean_q|^2 + variance_p + variance_q
// Source: Thewlis, Bilen, Vedaldi, "Unsupervised learning of object landmarks by factorized spatial
// embeddings", ICCV 2017, the alignment loss, written with means and variances.
#include "kernels/dispatch.h"

namespace cairn {

/// dp of the pixel at `place`, from the mean and the gradients of one map.
template <class T>
CAIRN_HD inline T moments_slope(const T* place, const T* mean, const T* dmean, T dvariance) {
  const T x = place[0] - mean[0], y = place[1] - mean[1];
  return place[0] * dmean[0] + place[1] * dmean[1] + dvariance * (x * x + y * y);
}

CAIRN_ON_EACH_DEVICE(void field_moments(const Tensor& p, const Tensor& field, Tensor& mean,
                                        Tensor& variance);
                     void field_moments_backward(const Tensor& field, const Tensor& mean,
                                                 const Tensor& dmean, const Tensor& dvariance,
                                                 Tensor& dp);)

inline void field_moments(const Tensor& p, const Tensor& field, Tensor& mean, Tensor& variance) {
  CAIRN_DISPATCH(p.device(), field_moments, p, field, mean, variance);
}

inline void field_moments_backward(const Tensor& field, const Tensor& mean, const Tensor& dmean,
                                   const Tensor& dvariance, Tensor& dp) {
  CAIRN_DISPATCH(dp.device(), field_moments_backward, field, mean, dmean, dvariance, dp);
}

}  // namespace cairn
