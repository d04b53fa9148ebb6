#include "layers/point_selection.h"

#include "kernels/points/best_peaks.h"
#include "layers/check.h"

namespace cairn {

SelectedPoints select_points(const Tensor& heat, const PointOptions& o) {
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
  const int64_t images = heat.dim(0);
  const auto integers = [&](const Shape& s) { return Tensor::empty(s, DType::i32, heat.device()); };
  SelectedPoints best{integers({images, o.top_k}), heat.empty_like({images, o.top_k, 2}),
                      heat.empty_like({images, o.top_k}), integers({images})};
  best_peaks(heat, {o.nms_radius, o.threshold, o.border}, best.index, best.scores, best.count);
  refine(heat, best.index, o.refinement, best.points);
  return best;
}

}  // namespace cairn
