#pragma once
// gaussian: one Gaussian blob per image and channel, differentiable in centre, width and amplitude.
//
//   centre     [N,K,2]: (x, y) in unit half-pixel coordinates; f32 (f64 on cpu)
//   sigma      [N,K] > 0, amplitude [N,K]
//   y          [N,H,W,K]
//
//   x_u = (column + 1/2) / W,  y_u = (row + 1/2) / H
//   d2 = (x_u - x)^2 W/H + (y_u - y)^2 H/W    (the frame has area 1, a circle stays a circle)
//   y_u = a exp(-d2 / (2 s^2))                GaussianForm::plain     (F1)
//         a exp(-d2 / (2 s^2)) / (2 pi s^2)   GaussianForm::density   (F2)
//         a exp(-d2 / s^2)                    GaussianForm::undivided (F3)
//
// Gradient, with q = dy_u y_u and c = 1/s^2 (F3: 2/s^2):
//   dx = c W/H sum q (x_u-x),  dy = c H/W sum q (y_u-y),  ds = c/s sum q d2 (F2: - 2/s sum q),
//   da = sum q / a.
#include "kernels/dispatch.h"

namespace cairn {

enum class GaussianForm : unsigned char { plain, density, undivided };

/// The exponent is -d2 * this.
inline double gaussian_falloff(GaussianForm form, double sigma) {
  return (form == GaussianForm::undivided ? 1.0 : 0.5) / (sigma * sigma);
}

CAIRN_ON_EACH_DEVICE(void gaussian(const Tensor& centre, const Tensor& sigma,
                                   const Tensor& amplitude, GaussianForm form, Tensor& y);
                     void gaussian_backward(const Tensor& centre, const Tensor& sigma,
                                            const Tensor& amplitude, GaussianForm form,
                                            const Tensor& dy, Tensor& dcentre, Tensor& dsigma,
                                            Tensor& damplitude);)

inline void gaussian(const Tensor& centre, const Tensor& sigma, const Tensor& amplitude,
                     GaussianForm form, Tensor& y) {
  CAIRN_DISPATCH(y.device(), gaussian, centre, sigma, amplitude, form, y);
}

inline void gaussian_backward(const Tensor& centre, const Tensor& sigma, const Tensor& amplitude,
                              GaussianForm form, const Tensor& dy, Tensor& dcentre, Tensor& dsigma,
                              Tensor& damplitude) {
  CAIRN_DISPATCH(dy.device(), gaussian_backward, centre, sigma, amplitude, form, dy, dcentre,
                 dsigma, damplitude);
}

}  // namespace cairn
