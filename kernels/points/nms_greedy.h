#pragma once
// Greedy non-maximum suppression (as SuperPoint's demo does it): in falling order of score, a point
// that is still there is kept and deletes all others with max(|dx|, |dy|) <= radius.
//
//   heat        [N, H, W]; f32 (f64 on cpu)
//   threshold   only scores above it are points at all
//   y           [N, H, W]: the score where a point is kept, else 0
//
// Equal scores go by linear index y * W + x, the lower one first, so the result is one set, the
// same on every device. On cuda that set is found in parallel: a point is kept when no stronger one
// that may still be kept is near, and deleted when a kept stronger one is; that, repeated until
// nothing changes, is the same as going through them in order.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void nms_greedy(const Tensor& heat, int radius, double threshold, Tensor& y);)

/// Writes y.
inline void nms_greedy(const Tensor& heat, int radius, double threshold, Tensor& y) {
  CAIRN_DISPATCH(heat.device(), nms_greedy, heat, radius, threshold, y);
}

}  // namespace cairn
