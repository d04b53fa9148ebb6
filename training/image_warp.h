#pragma once
// Warping one image on a data worker, and which cells of the result show the input.
#include "geometry/homography.h"
#include "runtime/tensor.h"

namespace cairn {

/// [height, width, C]: image(p) = input(H p), bilinear, 0 outside; `output_to_input` is H, the
/// input f32 or u8 [h, w, C].
Tensor warped(const Tensor& input, const Matrix3& output_to_input, int64_t height, int64_t width);

/// u8 [height / cell, width / cell], from the matrix alone: 1 where the whole cell shows an input
/// of this size, each pixel's nearest one existing, and lies away from where the input ends: no
/// pixel of an elliptic element of side 2 * margin, centred as OpenCV does, sees beyond it. The
/// border of the output itself does not count as an end.
Tensor seen_cells(const Matrix3& output_to_input, int height, int width, int margin, int cell);

}  // namespace cairn
