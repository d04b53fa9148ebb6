#pragma once
// Grey images in their two forms: bytes in memory and files, floats of 0..1 for networks.
#include "runtime/tensor.h"

namespace cairn {

Tensor grey_bytes(const Tensor& unit);  ///< f32 in 0..1 -> u8, clamped and rounded

/// [...,1] -> [...,channels], f32 anywhere or u8 on cpu: grey for a network that reads colours.
Tensor with_channels(const Tensor& grey, int channels);

}  // namespace cairn
