#pragma once
// The bottleneck residual block as one differentiable function; see
// kernels/residual/residual_block.h.
#include "kernels/residual/residual_block.h"
#include "layers/tape.h"

namespace cairn {

/// One norm, rectifier and convolution.
struct NormConvVars {
  Var gamma, beta, w, bias;
  Tensor running_mean, running_var;
};

struct ResidualVars {
  NormConvVars step[3];
  Var skip_w, skip_bias;  ///< undefined: x itself is the skip
  BatchNormOptions norm;  ///< its act does not count: it is relu
};

/// conv1x1(z3(conv3x3(z2(conv1x1(z1(x)))))) + skip(x), zi = max(norm_i(.), 0), x [N,H,W,I]. With
/// the batch's statistics if x's tape is training (then the running ones move), else with the
/// running ones. Keeps x and what the first two convolutions give. Beside x in bf16 the parameters
/// are float32. Throws an Error that lists every mismatch, and when training on a single pixel.
Var residual_block(const Var& x, const ResidualVars& block);

/// The same for inference alone, with the second and third norm folded into the weights before them
/// (fold_norm() of layers/prepared_weights.h); what would be their gamma, beta and statistics is
/// ignored.
Var residual_block_folded(const Var& x, const ResidualVars& block);

}  // namespace cairn
