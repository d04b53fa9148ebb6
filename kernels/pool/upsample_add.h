#pragma once
// upsample_add: a smaller map doubled in size and added to a larger one, in one pass.
//
//   skip, y  [N,2H,2W,C]; f32 or f64, simt and cuda: also bf16
//   low      [N,H,W,C]
//
//   forward   y[n,i,j,c] = skip[n,i,j,c] + low[n, i / 2, j / 2, c]
//   backward  dskip = dy; dlow = the sum of the 4 dy of its square: upsample_nearest_backward
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void upsample_add(const Tensor& skip, const Tensor& low, Tensor& y);)

inline void upsample_add(const Tensor& skip, const Tensor& low, Tensor& y) {
  CAIRN_DISPATCH(y.device(), upsample_add, skip, low, y);
}

}  // namespace cairn
