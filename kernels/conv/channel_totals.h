#pragma once
// The gradient of a bias: each channel's sum over all pixels.
#include "runtime/tensor.h"

namespace cairn {

/// totals [C] = the sum of x [...,C] over all but the last dimension, accumulated in double.
void channel_totals(const Tensor& x, Tensor& totals);

}  // namespace cairn
