#pragma once
// depth_to_space: channels become pixels (sub-pixel shuffle, Shi et al., CVPR 2016);
// space_to_depth: the way back.
//
//   deep  [N,H,W, D r^2]; f32 or f64
//   wide  [N, r H, r W, D]
//
//   wide[n, r i + u, r j + v, d] = deep[n,i,j, (d r + u) r + v]
//
// With D = 1 channel k = r u + v of a cell is its pixel (u, v): SuperPoint's heatmap. A
// permutation, so each is the other's backward.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void depth_to_space(const Tensor& deep, int r, Tensor& wide);
                     void space_to_depth(const Tensor& wide, int r, Tensor& deep);)

inline void depth_to_space(const Tensor& deep, int r, Tensor& wide) {
  CAIRN_DISPATCH(wide.device(), depth_to_space, deep, r, wide);
}

inline void space_to_depth(const Tensor& wide, int r, Tensor& deep) {
  CAIRN_DISPATCH(deep.device(), space_to_depth, wide, r, deep);
}

}  // namespace cairn
