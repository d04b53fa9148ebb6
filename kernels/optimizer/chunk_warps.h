#pragma once
// The walk of the optimizer kernels: one warp per chunk, lane l does elements 2l and 2l + 1, so
// that each access of a warp is 256 consecutive bytes and what belongs to the chunk is read once.
#include "kernels/device.h"
#include "kernels/optimizer/flat_chunk.h"

namespace cairn::CAIRN_NS {

static_assert(flat_chunk == 64);

/// Calls f(chunk, i, lr_scale, decay_scale) in all lanes of the warp of each chunk that is not
/// skipped; i is the first of the lane's two elements.
template <class F>
CAIRN_DEVICE void for_each_active_chunk(const float* scales, int64_t chunks, F&& f) {
  for (int64_t c = global_thread() / 32; c < chunks; c += global_threads() / 32) {
    const Float2 scale = load2(scales + 2 * c);
    if (scale.x != 0 || scale.y != 0) f(c, c * flat_chunk + 2 * lane_index(), scale.x, scale.y);
  }
}

}  // namespace cairn::CAIRN_NS
