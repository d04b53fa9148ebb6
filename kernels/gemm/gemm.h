#pragma once
// gemm: C = op(A) op(B), matrices row-major.
//
//   a  [M,K], or [K,M] if transpose_a
//   b  [K,N], or [N,K] if transpose_b
//   c  [M,N], overwritten; must not overlap a or b
//   f32, f64; simt and cuda: also bf16, summed in f32; all three of rank 2; K = 0 gives
//   zeros
//
// The three products of a 1x1 convolution over P pixels with weights w [O,C] are
//   y  [P,O] = x w^T        gemm(x, false, w, true, y)
//   dx [P,C] = dy w         gemm(dy, false, w, false, dx)
//   dw [O,C] = dy^T x       gemm(dy, true, x, false, dw)
// and those are also its own gradients: the backward of a gemm is two gemms.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void gemm(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b,
                               Tensor& c);)

/// C = op(A) op(B).
inline void gemm(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, Tensor& c) {
  CAIRN_DISPATCH(c.device(), gemm, a, transpose_a, b, transpose_b, c);
}

}  // namespace cairn
