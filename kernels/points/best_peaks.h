#pragma once
// The best peaks of heatmaps: greedy non-maximum suppression (as SuperPoint's demo does it), then
// the k best of what it keeps.
//
//   heat        [N, H, W]; f32 (f64 on cpu)
//   radius      of the suppression: in falling order of score, a point that is still there is kept
//               and deletes all others with max(|dx|, |dy|) <= radius
//   threshold   only scores above it are points at all
//   border      a peak has border <= x < W - border, and y likewise; one outside still deletes
//   refinement  how a peak comes to a fraction of a pixel (refine_point.h)
//   index       i32 [N, k]: linear indices y * W + x by falling score; -1 in unused places
//   score       [N, k], type of heat; 0 in unused places
//   point       [N, k, 2], type of heat: (x, y), refined; (0, 0) in unused places
//   count       i32 [N]: how many there are, at most k
//
// Equal scores go by linear index, the lower one first, so the result is one list, the same on
// every device. On cuda the set is found in parallel: a point is kept when no stronger one that may
// still be kept is near, and deleted when a kept one is; that, repeated until nothing changes, is
// the same as going through them in order.
#include "kernels/dispatch.h"
#include "kernels/points/refine_point.h"

namespace cairn {

struct PeakRule {
  int radius;
  double threshold;
  int border;
  Refinement refinement = Refinement::none;
};

/// What is found.
struct BestPeaks {
  Tensor index, score, point, count;
};

/// No map has more peaks: points more than `radius` apart.
inline int64_t most_peaks(int64_t height, int64_t width, int64_t radius) {
  const auto apart = [=](int64_t side) { return (side + radius) / (radius + 1); };
  return apart(height) * apart(width);
}

CAIRN_ON_EACH_DEVICE(void best_peaks(const Tensor& heat, const PeakRule& rule, BestPeaks& best);)

/// Writes all of `best`.
inline void best_peaks(const Tensor& heat, const PeakRule& rule, BestPeaks& best) {
  CAIRN_DISPATCH(heat.device(), best_peaks, heat, rule, best);
}

CAIRN_ON_EACH_DEVICE(void detector_peaks(const Tensor& logits, const PeakRule& rule, Tensor& heat,
                                         BestPeaks& best);)

/// The same of the heatmap of logits [N, H/8, W/8, 65], f32 (f64 on cpu), which is written as well:
/// detector_heatmap and best_peaks in one.
inline void detector_peaks(const Tensor& logits, const PeakRule& rule, Tensor& heat,
                           BestPeaks& best) {
  CAIRN_DISPATCH(logits.device(), detector_peaks, logits, rule, heat, best);
}

/// Room for the best k of `heat`.
inline BestPeaks empty_best_peaks(const Tensor& heat, int64_t k) {
  const int64_t N = heat.dim(0);
  return {Tensor::empty({N, k}, DType::i32, heat.device()), heat.empty_like({N, k}),
          heat.empty_like({N, k, 2}), Tensor::empty({N}, DType::i32, heat.device())};
}

}  // namespace cairn
