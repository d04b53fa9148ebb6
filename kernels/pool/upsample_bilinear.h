#pragma once
// upsample_bilinear: an image resized by bilinear interpolation; without smoothing, so for
// enlarging.
//
//   x, dx  [N,H,W,C]; f32 or f64
//   y, dy  [N,Ho,Wo,C], any size
//
//   forward   y[n,i,j,c] = the bilinear mean of the four x around (row(i), column(j)); where an
//             output pixel lies in x is `align`'s choice, and coordinates outside are clamped
//   backward  dx = the sum over the outputs that read it, with their weights: a gather, so every dx
//             has one writer and the result repeats bit for bit
//
// Positions and weights follow from whole numbers (ResizeAxis), so they are exact at any size.
#include "kernels/dispatch.h"
#include "kernels/pool/resize_axis.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void upsample_bilinear(const Tensor& x, Align align, Tensor& y);
                     void upsample_bilinear_backward(const Tensor& dy, Align align, Tensor& dx);)

inline void upsample_bilinear(const Tensor& x, Align align, Tensor& y) {
  CAIRN_DISPATCH(y.device(), upsample_bilinear, x, align, y);
}

inline void upsample_bilinear_backward(const Tensor& dy, Align align, Tensor& dx) {
  CAIRN_DISPATCH(dx.device(), upsample_bilinear_backward, dy, align, dx);
}

}  // namespace cairn
