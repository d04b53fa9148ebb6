#pragma once
// What the rows of the optimizers share: scales with skipped chunks, and the walk over the others.
#include "kernels/optimizer/flat_chunk.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {

// Every third chunk is skipped, another third does not decay; otherwise both scales differ.
inline Tensor scales(int64_t chunks) {
  Tensor t = uniform({chunks, 2}, 5, 0.1, 2);
  for (int64_t c = 1; c < chunks; c += 3) t.data<double>()[2 * c] = t.data<double>()[2 * c + 1] = 0;
  for (int64_t c = 3; c < chunks; c += 3) t.data<double>()[2 * c + 1] = 0;
  return t;
}

// Calls f(i, lr_scale, decay_scale) for the elements of chunks that are not skipped.
template <class F>
void for_active(const Tensor& scales, F&& f) {
  for (int64_t i = 0; i < scales.dim(0) * flat_chunk; ++i) {
    const double* s = in(scales) + 2 * (i / flat_chunk);
    if (s[0] != 0 || s[1] != 0) f(i, s[0], s[1]);
  }
}

// The harness gives the scales the type of the run; the kernels take them in float32.
inline Tensor f32(const Tensor& scales) { return scales.to(DType::f32); }

}  // namespace cairn::conformance
