#pragma once
// upsample_nearest: every pixel becomes a factor x factor square.
//
//   x, dx  [N,H,W,C]; f32 or f64, simt and cuda: also bf16
//   y, dy  [N, factor H, factor W, C]
//
//   forward   y[n,i,j,c] = x[n, i / factor, j / factor, c]
//   backward  dx = the sum of the factor^2 dy of its square
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void upsample_nearest(const Tensor& x, int factor, Tensor& y);
                     void upsample_nearest_backward(const Tensor& dy, int factor, Tensor& dx);)

inline void upsample_nearest(const Tensor& x, int factor, Tensor& y) {
  CAIRN_DISPATCH(y.device(), upsample_nearest, x, factor, y);
}

inline void upsample_nearest_backward(const Tensor& dy, int factor, Tensor& dx) {
  CAIRN_DISPATCH(dx.device(), upsample_nearest_backward, dy, factor, dx);
}

}  // namespace cairn
