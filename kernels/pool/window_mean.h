#pragma once
// window_mean: the mean of every size x size window that lies within the image; windows overlap.
//
//   x, dx  [N,H,W,C]; f32 or f64; H and W at least `size`
//   y, dy  [N, H - size + 1, W - size + 1, C]
//
//   forward   y[n,i,j,c] = the mean of x[n, i + u, j + v, c], 0 <= u, v < size
//   backward  dx[n,r,q,c] = the sum of the dy whose window contains the pixel / size^2: a gather.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void window_mean(const Tensor& x, int size, Tensor& y);
                     void window_mean_backward(const Tensor& dy, int size, Tensor& dx);)

inline void window_mean(const Tensor& x, int size, Tensor& y) {
  CAIRN_DISPATCH(y.device(), window_mean, x, size, y);
}

inline void window_mean_backward(const Tensor& dy, int size, Tensor& dx) {
  CAIRN_DISPATCH(dx.device(), window_mean_backward, dy, size, dx);
}

}  // namespace cairn
