#pragma once
// Grey images in their three forms: bytes in memory and files, floats of 0..255 while they are
// warped, floats of 0..1 for networks.
#include "runtime/tensor.h"

namespace cairn {

Tensor grey_values(const Tensor& bytes);  ///< u8 -> f32 in 0..255, of the same shape
Tensor grey_bytes(const Tensor& unit);    ///< f32 in 0..1 -> u8, clamped and rounded

/// [...,1] -> [...,channels], f32 or u8: grey for a network that reads colours.
Tensor with_channels(const Tensor& grey, int channels);

}  // namespace cairn
