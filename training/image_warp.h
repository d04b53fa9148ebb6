#pragma once
// Warping one image on a data worker, and which of its pixels show the input.
#include "geometry/homography.h"
#include "runtime/tensor.h"

namespace cairn {

struct WarpedImage {
  Tensor image;  ///< as the input
  Tensor seen;   ///< u8 [H, W]: 1 where the nearest pixel of the input exists
};

/// image(p) = input(H p), bilinear, 0 outside; `output_to_input` is H, the input f32 [H, W, C]. The
/// output is height x width, or as large as the input.
WarpedImage warped(const Tensor& input, const Matrix3& output_to_input, int64_t height,
                   int64_t width);
WarpedImage warped(const Tensor& input, const Matrix3& output_to_input);

/// A pixel stays 1 if all pixels under an elliptic element of side 2 * margin, centred as OpenCV
/// does, are 1; the border of the image itself does not erode.
Tensor eroded(const Tensor& mask, int margin);

/// u8 [height / cell, width / cell]: 1 where the whole cell is.
Tensor whole_cells(const Tensor& mask, int cell);

/// whole_cells(eroded(warped(input, output_to_input).seen, margin), cell) for an input of this
/// size, from the matrix alone.
Tensor seen_cells(const Matrix3& output_to_input, int height, int width, int margin, int cell);

}  // namespace cairn
