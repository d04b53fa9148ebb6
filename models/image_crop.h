#pragma once
// What a crop shows of a photograph.
#include "geometry/crop_frame.h"
#include "runtime/tensor.h"

namespace cairn {

/// u8 [H,W,C] -> u8 [height,width,C] through the affine map `to_crop` from image to crop pixels:
/// bilinear, 0 outside of the image. Where it shrinks to less than a half, the image is first
/// replaced by its means over blocks of k x k pixels, with the k that leaves a shrinkage below 2.
/// Throws an Error on another type or shape, and on a matrix that cannot be inverted.
Tensor crop_image(const Tensor& image, const Matrix3& to_crop, int64_t height, int64_t width);

/// The side of those blocks, k >= 1, for a map from pixels of the crop to those of the image.
int64_t crop_block(const Matrix3& to_image);

/// The frame that shows all of the image [H,W,C] in the middle of a crop of this size.
CropFrame frame_of(const Tensor& image, int64_t height, int64_t width);

}  // namespace cairn
