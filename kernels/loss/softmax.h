#pragma once
// softmax: over the last dimension.
//
//   x, y, dx, dy  [..., C]; f32 or f64
//
//   forward   y[c] = exp(x[c] - max x) / sum over c of exp(x[c] - max x)
//   backward  dx[c] = y[c] (dy[c] - sum over c of dy[c] y[c])
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void softmax(const Tensor& x, Tensor& y);
                     void softmax_backward(const Tensor& y, const Tensor& dy, Tensor& dx);)

/// y may be x.
inline void softmax(const Tensor& x, Tensor& y) { CAIRN_DISPATCH(y.device(), softmax, x, y); }

inline void softmax_backward(const Tensor& y, const Tensor& dy, Tensor& dx) {
  CAIRN_DISPATCH(dx.device(), softmax_backward, y, dy, dx);
}

}  // namespace cairn
