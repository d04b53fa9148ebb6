#pragma once
// distance: how far points are from where they should be, a loss of the Euclidean norm of pairs.
//
//   x, target   [...,2], equal shapes; f32 or f64
//   weight      undefined: w = 1; else one per pair (a mask is a weight of 0 and 1)
//   factor      [1], written by the forward: 1 / (sum of w), 0 where that is 0
//   loss        [1] = factor * sum of w l(d),  d = |x - target|
//
//   l(d)  = d^2 / (2 beta) if d < beta, else d - beta / 2       (Huber's loss divided by its delta)
//   dx    = dloss factor w l'(d) (x - target) / max(d, 1e-12),  l'(d) = min(d / beta, 1)
//
// beta = 0 is the distance itself. The target's gradient is -dx.
#include <cmath>

#include "kernels/dispatch.h"
#include "kernels/loss/pointwise_loss.h"

namespace cairn {

/// The gradient of w l(d) by x - target = (ex, ey).
template <class T>
CAIRN_HD inline void distance_slope(double beta, T w, T ex, T ey, T* out) {
  const T d = std::sqrt(ex * ex + ey * ey);
  const T scale = w * SmoothL1{beta}.slope(d) / (d > T(1e-12) ? d : T(1e-12));
  out[0] = scale * ex;
  out[1] = scale * ey;
}

CAIRN_ON_EACH_DEVICE(void distance(const Tensor& x, const Tensor& target, const Tensor& weight,
                                   double beta, Tensor& loss, Tensor& factor);
                     void distance_backward(const Tensor& x, const Tensor& target,
                                            const Tensor& weight, double beta, const Tensor& factor,
                                            const Tensor& dloss, Tensor& dx);)

/// Writes loss and factor.
inline void distance(const Tensor& x, const Tensor& target, const Tensor& weight, double beta,
                     Tensor& loss, Tensor& factor) {
  CAIRN_DISPATCH(x.device(), distance, x, target, weight, beta, loss, factor);
}

/// Writes dx. With x and target exchanged it writes the gradient of the target.
inline void distance_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                              double beta, const Tensor& factor, const Tensor& dloss, Tensor& dx) {
  CAIRN_DISPATCH(x.device(), distance_backward, x, target, weight, beta, factor, dloss, dx);
}

}  // namespace cairn
