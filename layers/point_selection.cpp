#include "layers/point_selection.h"

#include "kernels/heatmap/detector_heatmap.h"
#include "layers/check.h"

namespace cairn {

namespace {

PeakRule checked_rule(const Tensor& heat, const PointOptions& o) {
  Check("select_points")
      .argument("heat", heat)
      .require(heat.rank() == 3, "heat has rank ", heat.rank())
      .require(heat.dtype() == DType::f32 || heat.dtype() == DType::f64, "heat is ", heat.dtype())
      .require(heat.count() < int64_t{1} << 31, "heat has more pixels than an int32 counts")
      .require(o.threshold >= 0, "threshold is ", o.threshold)
      .require(o.nms_radius >= 0, "nms_radius is ", o.nms_radius)
      .require(o.border >= 0, "border is ", o.border)
      .require(o.top_k >= 1, "top_k is ", o.top_k)
      .done("heat [N,H,W] f32; threshold, nms_radius and border at least 0, top_k at least 1",
            "correct the options of the detector");
  return {o.nms_radius, o.threshold, o.border, o.refinement};
}

}  // namespace

BestPeaks select_points(const Tensor& heat, const PointOptions& o) {
  const PeakRule rule = checked_rule(heat, o);
  BestPeaks best = empty_best_peaks(heat, o.top_k);
  best_peaks(heat, rule, best);
  return best;
}

BestPeaks select_detector_points(const Tensor& logits, const PointOptions& o) {
  const int64_t cell = detector_cell;
  Tensor heat = logits.empty_like({logits.dim(0), cell * logits.dim(1), cell * logits.dim(2)});
  const PeakRule rule = checked_rule(heat, o);
  BestPeaks best = empty_best_peaks(heat, o.top_k);
  detector_peaks(logits, rule, heat, best);
  return best;
}

}  // namespace cairn
