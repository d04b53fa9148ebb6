#pragma once
// The heatmap of a SuperPoint detector head (DeTone et al., CVPRW 2018, section 3.2) in one pass:
// softmax over the 65 channels of a cell, the last one ("no point here") dropped, the other 64 laid
// out as the cell's 8 x 8 pixels.
//
//   logits  [N, Hc, Wc, 65]     f32 (f64 on cpu, bf16 on cuda and simt)
//   heat    [N, 8 Hc, 8 Wc]     f32 (f64 for f64 logits)
//   heat[n, 8i + u, 8j + v] = exp(logits[n, i, j, 8u + v] - m) / sum over c of exp(logits[c] - m),
//   m = the largest of the 65
//
// Inference only: training takes the cross entropy of the logits.
#include "kernels/dispatch.h"

namespace cairn {

inline constexpr int detector_cell = 8;  ///< pixels on a side

CAIRN_ON_EACH_DEVICE(void detector_heatmap(const Tensor& logits, Tensor& heat);)

/// Writes heat.
inline void detector_heatmap(const Tensor& logits, Tensor& heat) {
  CAIRN_DISPATCH(logits.device(), detector_heatmap, logits, heat);
}

}  // namespace cairn
