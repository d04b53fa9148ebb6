#pragma once
// Differentiable functions of descriptors: vectors along the last dimension.
#include "layers/tape.h"

namespace cairn {

/// x / max(|x|, eps) along the last dimension. Throws an Error if there is none or eps is not
/// above 0.
Var l2_normalize(const Var& x, double eps = 1e-12);

}  // namespace cairn
