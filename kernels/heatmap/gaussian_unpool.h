#pragma once
// gaussian_unpool: descriptors spread over an image by normalised Gaussians of several widths,
// beside these Gaussians.
//
//   centre  [N,K,2]: (x, y) in unit half-pixel coordinates, also outside of 0..1; f32 (f64 on cpu)
//   values  [N,K+1,S]: a descriptor for each landmark, that of the background last
//   widths  s_1, b_1 .. s_M, b_M > 0, 1 <= M <= most_gaussian_widths
//   y       [N,H,W,M (K+1+S)]: D_1, F_1, .., D_M, F_M
//
//   R_k = exp(-d2 / (2 s_i^2)) / (2 pi s_i^2) for k < K,  R_K = b_i
//   D_i = R / sum_m R_m (K+1 maps),  F_i(u) = sum_k D_ik(u) values_k (S maps)
//   d2 as in gaussian.h (aspect-corrected)
//
// Gradient, with g_ik = dD_ik + <values_k, dF_i> at each pixel u:
//   dvalues_k = sum_i,u D_ik dF_i,  c_ik = D_ik (g_ik - sum_m g_im D_im) / s_i^2,
//   dx_k = W/H sum_i,u c_ik (x_u - x_k),  dy_k likewise with H/W.
//
// Source: the decoder input of Zhang et al., "Unsupervised Discovery of Object Landmarks as
// Structural Representations", CVPR 2018, equation 7.
#include <vector>

#include "kernels/dispatch.h"

namespace cairn {

inline constexpr int most_gaussian_widths = 16;

/// One of the widths: its standard deviation, and the constant density of the background.
struct GaussianWidth {
  double sigma, background = 1;
};

CAIRN_ON_EACH_DEVICE(void gaussian_unpool(const Tensor& centre, const Tensor& values,
                                          const std::vector<GaussianWidth>& widths, Tensor& y);
                     void gaussian_unpool_backward(const Tensor& centre, const Tensor& values,
                                                   const std::vector<GaussianWidth>& widths,
                                                   const Tensor& dy, Tensor* dcentre,
                                                   Tensor* dvalues);)

inline void gaussian_unpool(const Tensor& centre, const Tensor& values,
                            const std::vector<GaussianWidth>& widths, Tensor& y) {
  CAIRN_DISPATCH(y.device(), gaussian_unpool, centre, values, widths, y);
}

/// Either gradient may be null. D is computed again, so that nobody need keep y.
inline void gaussian_unpool_backward(const Tensor& centre, const Tensor& values,
                                     const std::vector<GaussianWidth>& widths, const Tensor& dy,
                                     Tensor* dcentre, Tensor* dvalues) {
  CAIRN_DISPATCH(dy.device(), gaussian_unpool_backward, centre, values, widths, dy, dcentre,
                 dvalues);
}

}  // namespace cairn
