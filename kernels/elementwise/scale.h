#pragma once
// scale: y = factor x.
//
//   x, y  any shape, equal; f32 or f64
//
// Its backward is itself: dx = factor dy.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void scale(const Tensor& x, double factor, Tensor& y);)

/// y = factor x. y may be x.
inline void scale(const Tensor& x, double factor, Tensor& y) {
  CAIRN_DISPATCH(y.device(), scale, x, factor, y);
}

}  // namespace cairn
