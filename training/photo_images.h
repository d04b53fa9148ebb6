#pragma once
// Photographs brought to the size that labels are made and networks are trained at. Both sides go
// through load_photo(), so that the points of a label file fit the image.
#include <string>
#include <vector>

#include "runtime/tensor.h"

namespace cairn {

/// The image at `path` as u8 [height,width,channels], channels 1 (grey) or 3 (RGB). Its ratio is
/// kept: the largest central part of this shape is cut out and resized, smoothed as far as it
/// shrinks. Throws the Errors of read_image().
Tensor load_photo(const std::string& path, int64_t height, int64_t width, int channels = 1);

/// The same of an image u8 [H,W,C]. Pixel x of the result looks at (x + 1/2) s - 1/2 + margin of
/// the image, with s = min(W / width, H / height) and the margin that centres it; likewise y.
/// Weights fall linearly to 0 at a distance of max(s, 1) (bilinear where s <= 1). An image that has
/// the size already stays as it is.
Tensor fill_size(const Tensor& image, int64_t height, int64_t width);

/// Parts of a photograph u8 [H,W,C] as images of their own, u8 [height,width,C]: the largest
/// windows of this shape, those of half their side, and so on down to the photograph's own
/// resolution. At each scale the windows cover it evenly, neighbours sharing half of their side or
/// more. A photograph smaller than height x width gives one, magnified.
std::vector<Tensor> photo_crops(const Tensor& image, int64_t height, int64_t width);

}  // namespace cairn
