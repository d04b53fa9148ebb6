#pragma once
// Non-maximum suppression by max pooling, repeated (SuperGlue's form, Sarlin et al., CVPR 2020):
// in each round the points that are the largest of their window of (2 radius + 1)^2 are kept, and
// what lies in the windows of kept points is taken out before the next round.
//
//   heat        [N, H, W]; f32 (f64 on cpu)
//   rounds      1: plain max-pool suppression; SuperGlue runs 3 ("2 extra iterations")
//   threshold   only scores above it are points at all
//   y           [N, H, W]: the score where a point is kept, else 0
//
// Of equal scores in a window the one with the lowest linear index y * W + x counts as the largest.
// With enough rounds this is the suppression of best_peaks; what differs after `rounds` are points
// at the end of longer chains, in which each deletes the next.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void nms_maxpool(const Tensor& heat, int radius, int rounds, double threshold,
                                      Tensor& y);)

/// Writes y.
inline void nms_maxpool(const Tensor& heat, int radius, int rounds, double threshold, Tensor& y) {
  CAIRN_DISPATCH(heat.device(), nms_maxpool, heat, radius, rounds, threshold, y);
}

}  // namespace cairn
