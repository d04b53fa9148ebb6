#pragma once
// Differentiable softmax and the cross entropy on top of it, over the last dimension.
#include "layers/tape.h"

namespace cairn {

/// y = softmax(x) over the channels of x [...,C].
Var softmax(const Var& x);

/// The mean over valid cells of -log softmax(logits)[label]; one element (shape []).
///   logits [...,C];  labels [...] i32 in 0..C-1;  valid [...], u8 or of the logits' type: the
///   weight of each cell, 0 for one that does not count; undefined: all count
/// Without a valid cell the loss and its gradient are 0.
Var softmax_cross_entropy(const Var& logits, const Tensor& labels, const Tensor& valid = {});

}  // namespace cairn
