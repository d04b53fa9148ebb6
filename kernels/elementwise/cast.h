#pragma once
// cast: y = x in the type of y.
//
//   x, y  any shape, equal; f32 and bf16, either way (cpu: also f64 and bf16)
//
// To bf16 it rounds to nearest, ties to even; NaN stays NaN. Its backward is itself: dx = dy in the
// type of x.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void cast(const Tensor& x, Tensor& y);)

/// Writes y.
inline void cast(const Tensor& x, Tensor& y) { CAIRN_DISPATCH(y.device(), cast, x, y); }

/// x in another type; itself if it is of that type.
inline Tensor as_type(const Tensor& x, DType type) {
  if (x.dtype() == type) return x;
  Tensor y = Tensor::empty(x.shape(), type, x.device());
  cast(x, y);
  return y;
}

}  // namespace cairn
