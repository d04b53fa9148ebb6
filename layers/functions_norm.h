#pragma once
// Differentiable normalisation.
#include "kernels/norm/batch_norm.h"
#include "layers/tape.h"

namespace cairn {

/// y = act(gamma (x - mean) / sqrt(var + eps) + beta) over the last dimension's channels, x
/// [...,C]; act is the options': none or a rectifier. With the batch's statistics if x's tape is
/// training (then the running ones move towards them), with the running ones otherwise. The four
/// vectors have shape [C], and are float32 beside bf16. Throws an Error that lists every mismatch,
/// and when training on a single value per channel. With an activation, a backward that needs y
/// computes it again from x, which is kept anyway.
Var batch_norm(const Var& x, const Var& gamma, const Var& beta, Tensor& running_mean,
               Tensor& running_var, const BatchNormOptions& options = {});

}  // namespace cairn
