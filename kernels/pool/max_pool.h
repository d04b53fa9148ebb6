#pragma once
// max_pool: the largest value of every k x k window.
//
//   x, dx  [N,H,W,C]; f32 or f64, simt and cuda: also bf16
//   y, dy  [N,Ho,Wo,C],  Ho = (H + 2 padding - k) / stride + 1 (rounded down), Wo alike
//   index  [N,Ho,Wo,C] u8: where in its window the largest value lies, k row + column
//
//   forward   y[n,i,j,c] = max of x[n, i stride - padding + u, j stride - padding + v, c], u, v < k
//             Outside of x there is nothing (-infinity); on ties the first in reading order wins;
//             NaN counts as largest.
//   backward  dx[n,r,q,c] = the sum of the dy whose window chose that element: a gather, so every
//             dx has one writer and windows may overlap.
#include "kernels/dispatch.h"

namespace cairn {

struct MaxPoolOptions {
  int size = 2;  ///< k; with an index at most 16
  int stride = 2;
  int padding = 0;  ///< at most k / 2
};

/// The output height or width for an input of `size`; 0 or less if no window fits.
inline int64_t max_pool_output_size(int64_t size, const MaxPoolOptions& o) {
  const int64_t room = size + 2 * o.padding - o.size;
  return room < 0 ? 0 : room / o.stride + 1;
}

CAIRN_ON_EACH_DEVICE(void max_pool(const Tensor& x, const MaxPoolOptions& options, Tensor& y,
                                   Tensor* index);
                     void max_pool_backward(const Tensor& dy, const Tensor& index,
                                            const MaxPoolOptions& options, Tensor& dx);)

/// y, and index unless null.
inline void max_pool(const Tensor& x, const MaxPoolOptions& options, Tensor& y, Tensor* index) {
  CAIRN_DISPATCH(y.device(), max_pool, x, options, y, index);
}

inline void max_pool_backward(const Tensor& dy, const Tensor& index, const MaxPoolOptions& options,
                              Tensor& dx) {
  CAIRN_DISPATCH(dx.device(), max_pool_backward, dy, index, options, dx);
}

}  // namespace cairn
