#pragma once
// Warping one image on a data worker, and which of its pixels show the input.
#include <cstdint>
#include <vector>

#include "geometry/homography.h"
#include "runtime/tensor.h"

namespace cairn {

/// out(p) = image(H p), bilinear, 0 outside; `output_to_input` is H. Both f32 [H, W, 1].
Tensor warp_bilinear(const Tensor& image, const Matrix3& output_to_input);

/// u8 [height, width]: 1 where the nearest input pixel of H p exists.
Tensor seen_pixels(int height, int width, const Matrix3& output_to_input);

/// A pixel stays 1 if all pixels under an elliptic element of side 2 * margin, centred as OpenCV
/// does, are 1; the border of the image itself does not erode.
Tensor eroded(const Tensor& mask, int margin);

/// u8 [height / cell, width / cell]: 1 where the whole cell is.
Tensor whole_cells(const Tensor& mask, int cell);

}  // namespace cairn
