#pragma once
// Differentiable convolution and transposed convolution. Shapes are those of kernels/conv/conv2d.h:
// images [N,H,W,C], weights [O,kh,kw,C/groups] (transposed: [I,kh,kw,O/groups]), bias [O]. Beside
// bf16 images weights and bias are float32: read rounded (layers/prepared_weights.h); their
// gradients are not rounded.
#include "kernels/conv/conv2d_pair.h"
#include "kernels/conv/conv_transpose2d.h"
#include "layers/tape.h"

namespace cairn {

/// y = conv(x, w) + bias; `bias` may be an undefined Var.
/// Throws an Error that lists every mismatch of ranks, channels, groups, types and sizes.
Var conv2d(const Var& x, const Var& w, const Var& bias, const Conv2dOptions& options = {});

/// y = conv_transpose(x, w) + bias; `bias` may be an undefined Var. Errors as above.
Var conv_transpose2d(const Var& x, const Var& w, const Var& bias,
                     const ConvTranspose2dOptions& options = {});

/// What follows a convolution in the same pass over its output.
struct FusedStep {
  Activation act = Activation::none;
  float slope = 0;     ///< of leaky_relu
  bool pool2 = false;  ///< 2x2 max pool, stride 2
};

/// Inference alone: y = pool2(act(conv(x, w) + bias)), written once. Throws an Error if a gradient
/// is wanted; there the parts are recorded one by one.
Var conv2d_fused(const Var& x, const Var& w, const Var& bias, const Conv2dOptions& options,
                 const FusedStep& step);

/// One step of conv2d_pair_fused().
struct FusedConv {
  Var w, bias;  ///< bias may be undefined
  Conv2dOptions options;
  FusedStep step;
};

/// Inference alone: y = second(first(x)), where nothing as large as first(x) need exist
/// (kernels/conv/conv2d_pair.h). The first step must not pool. Errors as conv2d_fused().
Var conv2d_pair_fused(const Var& x, const FusedConv& first, const FusedConv& second);

}  // namespace cairn
