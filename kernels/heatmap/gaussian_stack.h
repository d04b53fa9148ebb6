#pragma once
// gaussian_stack: K Gaussian densities and a constant background, normalised to sum 1 at each
// pixel.
//
//   centre  [N,K,2]: (x, y) in unit half-pixel coordinates; f32 (f64 on cpu)
//   y       [N,H,W,K+1], the background last
//
//   R_k = exp(-d2 / (2 s^2)) / (2 pi s^2) for k < K,  R_K = background > 0,  y_k = R_k / sum_m R_m
//   d2 as in gaussian.h (aspect-corrected)
//
// Gradient:  c_ku = y_ku (dy_ku - sum_m dy_mu y_mu) / s^2,  dx_k = W/H sum_u c_ku (x_u - x_k),
//   dy_k likewise with H/W.
//
// Source: the decoder input of Zhang et al., "Unsupervised Discovery of Object Landmarks as
// Structural Representations", CVPR 2018, equation 7.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void gaussian_stack(const Tensor& centre, double sigma, double background,
                                         Tensor& y);
                     void gaussian_stack_backward(const Tensor& centre, double sigma,
                                                  const Tensor& y, const Tensor& dy,
                                                  Tensor& dcentre);)

inline void gaussian_stack(const Tensor& centre, double sigma, double background, Tensor& y) {
  CAIRN_DISPATCH(y.device(), gaussian_stack, centre, sigma, background, y);
}

/// `y` is what the forward returned.
inline void gaussian_stack_backward(const Tensor& centre, double sigma, const Tensor& y,
                                    const Tensor& dy, Tensor& dcentre) {
  CAIRN_DISPATCH(dy.device(), gaussian_stack_backward, centre, sigma, y, dy, dcentre);
}

}  // namespace cairn
