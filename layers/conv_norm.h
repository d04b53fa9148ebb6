#pragma once
// Convolution, normalisation, activation, pooling: the sequence that every network here repeats.
#include "layers/modules.h"

namespace cairn {

/// Which of the three orders a network was trained with.
enum class NormOrder {
  none,  ///< conv -> activation
  pre,   ///< conv -> norm -> activation
  post,  ///< conv -> activation -> norm
};

struct ConvNormStep {
  NormOrder order = NormOrder::none;
  Activation act = Activation::relu;
  bool pool2 = false;  ///< 2x2 max pool, stride 2, after everything else
  float slope = 0;     ///< of leaky_relu
};

/// pool2(act(norm(conv(x)))) in the step's order. `norm` may be null when the order is none.
///
/// While a gradient is recorded each part is a node of its own. Otherwise the running statistics
/// are folded into the convolution and everything runs in one pass over the output (a norm after
/// the activation stays a pass of its own: folded into the next convolution it would be wrong in
/// the outermost ring, where the zero padding lacks its constant). With x in bf16 (on cpu without
/// gradients) every part's output is bf16 too; weights are rounded to it, folded ones after they
/// have been folded in float32, and a norm computes in float32.
Var conv_norm(const Var& x, Conv2d& conv, BatchNorm2d* norm, const ConvNormStep& step);

/// A convolution and what conv_norm() needs to know of it.
struct ConvNormLayer {
  Conv2d& conv;
  BatchNorm2d* norm;
  ConvNormStep step;
};

/// second(first(x)). In inference, if no pass of its own stands between the two (no pool after the
/// first, no norm after its activation), the map between them is never there as a whole.
Var conv_norm_pair(const Var& x, const ConvNormLayer& first, const ConvNormLayer& second);

}  // namespace cairn
