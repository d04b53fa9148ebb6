#pragma once
// What codecs with maps share: coordinates, planes and mirror images.
#include <vector>

#include "models/codecs/codec.h"

namespace cairn {

/// Pixels of the input to cells of a map and back.
inline double to_cell(double pixel) { return (pixel + 0.5) / Codec::stride - 0.5; }
inline double to_pixel(double cell) { return (cell + 0.5) * Codec::stride - 0.5; }

/// Points [..., 2] f32 in cells instead of pixels.
Tensor in_cells(const Tensor& points);

/// The channels of one image of maps [N,h,w,C] on cpu, one after another: [C,h,w].
std::vector<float> planes_of(const Tensor& maps, int64_t image);

/// Maps [N,h,w,C] on any device, mirrored from left to right, channel c taken from `from[c]` and
/// multiplied by `sign[c]` (empty: 1).
Tensor mirrored_maps(const Tensor& maps, const std::vector<int>& from,
                     const std::vector<float>& sign = {});

}  // namespace cairn
