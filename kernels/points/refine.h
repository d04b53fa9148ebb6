#pragma once
// From linear indices to coordinates, to a fraction of a pixel where that is wanted.
//
//   heat     [N, H, W]; f32 (f64 on cpu), positive for the quadratic
//   index    i32 [N, K]: linear indices y * W + x; -1: unused
//   points   [N, K, 2], type of heat: (x, y); (0, 0) for unused ones
//
//   none          the pixel's centre
//   quadratic     the top of the parabola through the logarithms of the 3 x 3 scores: exact for a
//                 Gaussian. With central differences g and H: step = -H^-1 g, taken if H is
//                 negative definite and |step| <= 1/2 on each axis; otherwise, and in the outermost
//                 pixels, the pixel's centre
//   soft_argmax   the mean position of the 5 x 5 scores, weighted by the scores (what lies outside
//                 the map weighs nothing)
#include <cstdint>

#include "kernels/dispatch.h"

namespace cairn {

enum class Refinement : uint8_t { none, quadratic, soft_argmax };

CAIRN_ON_EACH_DEVICE(void refine(const Tensor& heat, const Tensor& index, Refinement how,
                                 Tensor& points);)

/// Writes points.
inline void refine(const Tensor& heat, const Tensor& index, Refinement how, Tensor& points) {
  CAIRN_DISPATCH(heat.device(), refine, heat, index, how, points);
}

}  // namespace cairn
