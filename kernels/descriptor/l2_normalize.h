#pragma once
// l2_normalize: every vector along the last dimension divided by its length.
//
//   x, y  [...,C]; f32 (f64 on cpu)
//   y = x / max(|x|, eps),  |x| the Euclidean length over the C channels
//
// Gradient:  dx = (dy - y (y . dy)) / |x|;  where |x| <= eps the length counts as the constant eps,
// dx = dy / eps.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void l2_normalize(const Tensor& x, double eps, Tensor& y);
                     void l2_normalize_backward(const Tensor& x, const Tensor& dy, double eps,
                                                Tensor& dx);)

inline void l2_normalize(const Tensor& x, double eps, Tensor& y) {
  CAIRN_DISPATCH(y.device(), l2_normalize, x, eps, y);
}

inline void l2_normalize_backward(const Tensor& x, const Tensor& dy, double eps, Tensor& dx) {
  CAIRN_DISPATCH(dx.device(), l2_normalize_backward, x, dy, eps, dx);
}

}  // namespace cairn
