#pragma once
// From a heatmap to its best points: suppression, threshold, border, top-k and refinement in one
// call. All results stay on the device in tensors of fixed size, so that nothing waits for a count.
#include "kernels/points/best_peaks.h"

namespace cairn {

struct PointOptions {
  double threshold = 0.015;  ///< points have scores above it
  int nms_radius = 4;        ///< of the points with max(|dx|,|dy|) <= radius only the best stays
  int border = 4;            ///< points have border <= x < W - border, and y likewise
  int64_t top_k = 1000;
  Refinement refinement = Refinement::none;
};

/// The top_k best of each image of heat [N,H,W], f32 (f64 on cpu). Greedy suppression comes
/// first, as in SuperPoint's demo: a point inside the border can be deleted by one outside. Throws
/// an Error that lists what is out of range.
BestPeaks select_points(const Tensor& heat, const PointOptions& options = {});

/// The same of the heatmap of a detector's logits [N,H/8,W/8,65] (detector_heatmap.h), f32 (f64 on
/// cpu).
BestPeaks select_detector_points(const Tensor& logits, const PointOptions& options = {});

}  // namespace cairn
