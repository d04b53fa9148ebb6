#pragma once
// pad_border: an image on a larger ground of one colour, the mean of its own border.
//
//   x  [N,H,W,C]; f32 or f64, H and W at least 1
//   y  [N, H + 2 p, W + 2 p, C]
//
//   y[n, i + p, j + p] = x[n, i, j];  elsewhere the mean over the pixels of x[n] in its first and
//   last row and column, each counted once.
//
// Not differentiable: it prepares images. A warp then brings in a plausible colour, and a landmark
// near the border still has surroundings (Zhang et al., "Unsupervised Discovery of Object Landmarks
// as Structural Representations", CVPR 2018, authors' code).
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void pad_border(const Tensor& x, int padding, Tensor& y);)

inline void pad_border(const Tensor& x, int padding, Tensor& y) {
  CAIRN_DISPATCH(y.device(), pad_border, x, padding, y);
}

}  // namespace cairn
