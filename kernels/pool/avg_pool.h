#pragma once
// avg_pool: the mean of every block of pixels; blocks do not overlap and cover the image.
//
//   x, dx  [N,H,W,C]; f32 or f64, simt and cuda: also bf16, summed in f32; H and W multiples of the
//          block's sides
//   y, dy  [N, H / height, W / width, C]
//
//   forward   y[n,i,j,c] = the mean of x[n, i height + u, j width + v, c]
//   backward  dx = dy of its block / (height width)
#include "kernels/dispatch.h"

namespace cairn {

/// The sides of a block, in pixels.
struct PoolBlock {
  int height = 2, width = 2;
};

CAIRN_ON_EACH_DEVICE(void avg_pool(const Tensor& x, const PoolBlock& block, Tensor& y);
                     void avg_pool_backward(const Tensor& dy, const PoolBlock& block, Tensor& dx);)

inline void avg_pool(const Tensor& x, const PoolBlock& block, Tensor& y) {
  CAIRN_DISPATCH(y.device(), avg_pool, x, block, y);
}

inline void avg_pool_backward(const Tensor& dy, const PoolBlock& block, Tensor& dx) {
  CAIRN_DISPATCH(dx.device(), avg_pool_backward, dy, block, dx);
}

}  // namespace cairn
