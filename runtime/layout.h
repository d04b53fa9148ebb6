#pragma once
// The two orders of a rank-4 tensor. In memory channels come last; files and other frameworks put
// them in second place.
#include "runtime/tensor.h"

namespace cairn {

/// [A,H,W,B] -> [A,B,H,W], copied to cpu. Activations: N,H,W,C -> N,C,H,W; convolution weights:
/// O,kh,kw,I -> O,I,kh,kw; transposed convolution: I,kh,kw,O -> I,O,kh,kw.
Tensor channels_first(const Tensor& t);

/// The inverse: [A,B,H,W] -> [A,H,W,B], copied to cpu.
Tensor channels_last(const Tensor& t);

}  // namespace cairn
