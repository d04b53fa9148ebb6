#pragma once
// How parameters lie in the flat buffers: each starts at a multiple of flat_chunk elements, so that
// a chunk belongs to one parameter and everything that differs between parameters is given per
// chunk. All optimizers read, per chunk, (learning-rate scale, decay scale); (0, 0) skips the
// chunk: a parameter that is frozen or got no gradient keeps its value and its state.
#include <cstdint>

#include "runtime/tensor.h"
#include "runtime/threads.h"

namespace cairn {

inline constexpr int64_t flat_chunk = 64;

namespace cpu {

/// Calls f(chunk, lr_scale, decay_scale) for each chunk that is not skipped; scales f32 [chunks,2].
template <class F>
void for_each_active_chunk(const Tensor& scales, F&& f) {
  const float* scale = scales.data<float>();
  parallel_for(scales.dim(0), 512, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c)
      if (scale[2 * c] != 0 || scale[2 * c + 1] != 0) f(c, scale[2 * c], scale[2 * c + 1]);
  });
}

}  // namespace cpu
}  // namespace cairn
