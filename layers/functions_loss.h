#pragma once
// Differentiable losses of single elements, averaged into one number (shape []). Both arguments may
// want a gradient.
//
//   x, target   equal shapes [N,...,C]
//   weight      undefined: all 1; of the shape of x: per element, a mask being a weight of 0 and 1;
//               [N,C]: per sample and channel, for joints that are not visible
//   mean        what the weighted sum is divided by; LossMean::weights without any weight gives
//               loss and gradient 0
//
// Each throws an Error that lists what does not fit.
#include "kernels/loss/pointwise_loss.h"
#include "layers/tape.h"

namespace cairn {

/// The mean of weight * (x - target)^2.
Var mse(const Var& x, const Var& target, const Tensor& weight = {},
        LossMean mean = LossMean::elements);

/// The mean of weight * smooth L1 of x - target, quadratic below `beta` >= 0 (kernels/loss/smooth_l1.h).
Var smooth_l1(const Var& x, const Var& target, const Tensor& weight = {}, double beta = 1,
              LossMean mean = LossMean::elements);

}  // namespace cairn
