#pragma once
// add: y = a + b, and accumulation y += x.
//
//   a, b, x, y  any shape, all equal; f32 or f64, simt and cuda: also bf16
//
// The gradient of a sum is the upstream gradient for each term, so the backward of add needs no
// kernel; the tape uses accumulate where two gradients meet.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void add(const Tensor& a, const Tensor& b, Tensor& y);
                     void accumulate(const Tensor& x, Tensor& y);)

/// y = a + b. y may be a or b.
inline void add(const Tensor& a, const Tensor& b, Tensor& y) {
  CAIRN_DISPATCH(y.device(), add, a, b, y);
}

/// y += x.
inline void accumulate(const Tensor& x, Tensor& y) { CAIRN_DISPATCH(y.device(), accumulate, x, y); }

}  // namespace cairn
