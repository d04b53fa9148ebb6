#pragma once
// The points of a map as a list: every place above a threshold and away from the border, in order
// of its linear index y * W + x.
//
//   heat       [N, H, W]; f32 (f64 on cpu)
//   border     a point has border <= x < W - border, and y likewise
//   index      i32 [N, capacity]: linear indices, rising; -1 in unused places
//   score      [N, capacity], type of heat; 0 in unused places
//   count      i32 [N]: how many points there are; beyond the capacity the last ones are not listed
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void compact(const Tensor& heat, double threshold, int border, Tensor& index,
                                  Tensor& score, Tensor& count);)

/// Writes index, score and count.
inline void compact(const Tensor& heat, double threshold, int border, Tensor& index, Tensor& score,
                    Tensor& count) {
  CAIRN_DISPATCH(heat.device(), compact, heat, threshold, border, index, score, count);
}

}  // namespace cairn
