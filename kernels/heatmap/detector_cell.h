#pragma once
// The softmax of one cell of detector_heatmap.h, by a warp (cuda and simt).
#include "kernels/device.h"
#include "kernels/heatmap/detector_heatmap.h"

namespace cairn::CAIRN_NS {

/// The probabilities of channels lane and lane + 32 of the 65 logits at x.
template <class T>
CAIRN_DEVICE Float2 cell_softmax(const T* x) {
  const int lane = lane_index();
  const float a = float(x[lane]), b = float(x[lane + 32]), dustbin = float(x[64]);
  const float largest = fmaxf(warp_max(fmaxf(a, b)), dustbin);
  const float ea = expf(a - largest), eb = expf(b - largest);
  const float scale = 1 / (warp_sum(ea + eb) + expf(dustbin - largest));
  return {ea * scale, eb * scale};
}

}  // namespace cairn::CAIRN_NS
