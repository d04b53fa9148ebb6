#pragma once
// mask_pool: the mean of the features under each mask.
//
//   mask      [N,H,W,K], values >= 0; f32 or f64
//   features  [N,H,W,S]
//   pooled    [N,K,S]
//   mass      [N,K]: Z below; what the backward needs
//
//   pooled_k = (1/Z_k) sum_u m_k(u) F(u),  Z_k = sum_u m_k(u) + 1e-6
//
// Gradient, with q_k = dpooled_k / Z_k:  dF(u) = sum_k m_k(u) q_k,
//   dm_k(u) = <q_k, F(u) - pooled_k>.
//
// A dead mask (all zero) pools zeros and has gradients of 1e6 times the upstream one.
// Source: the local descriptors of Zhang et al., "Unsupervised Discovery of Object Landmarks as
// Structural Representations", CVPR 2018.
#include "kernels/dispatch.h"

namespace cairn {

inline constexpr double mask_pool_epsilon = 1e-6;

CAIRN_ON_EACH_DEVICE(void mask_pool(const Tensor& mask, const Tensor& features, Tensor& pooled,
                                    Tensor& mass);
                     void mask_pool_backward(const Tensor& mask, const Tensor& features,
                                             const Tensor& pooled, const Tensor& mass,
                                             const Tensor& dpooled, Tensor* dmask,
                                             Tensor* dfeatures);)

inline void mask_pool(const Tensor& mask, const Tensor& features, Tensor& pooled, Tensor& mass) {
  CAIRN_DISPATCH(mask.device(), mask_pool, mask, features, pooled, mass);
}

/// Either gradient may be null. `pooled` and `mass` are what the forward returned.
inline void mask_pool_backward(const Tensor& mask, const Tensor& features, const Tensor& pooled,
                               const Tensor& mass, const Tensor& dpooled, Tensor* dmask,
                               Tensor* dfeatures) {
  CAIRN_DISPATCH(mask.device(), mask_pool_backward, mask, features, pooled, mass, dpooled, dmask,
                 dfeatures);
}

}  // namespace cairn
