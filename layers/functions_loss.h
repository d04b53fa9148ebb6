#pragma once
// Differentiable losses of single elements, averaged into one number (shape []). Both arguments may
// want a gradient unless stated otherwise.
//
//   x, target   equal shapes [N,...,C]
//   weight      undefined: all 1; of the shape of x: per element, a mask being a weight of 0 and 1;
//               [N,C]: per sample and channel, for joints that are not visible
//   mean        what the weighted sum is divided by; LossMean::weights without any weight gives
//               loss and gradient 0
//
// Each throws an Error that lists what does not fit.
#include "kernels/loss/concentration.h"
#include "kernels/loss/diversity.h"
#include "kernels/loss/pointwise_loss.h"
#include "kernels/loss/wing.h"
#include "layers/tape.h"

namespace cairn {

/// The mean of weight * (x - target)^2.
Var mse(const Var& x, const Var& target, const Tensor& weight = {},
        LossMean mean = LossMean::elements);

/// The mean of weight * smooth L1 of x - target, quadratic below `beta` >= 0
/// (kernels/loss/smooth_l1.h).
Var smooth_l1(const Var& x, const Var& target, const Tensor& weight = {}, double beta = 1,
              LossMean mean = LossMean::elements);

/// The mean of weight * Wing loss of x - target (kernels/loss/wing.h).
Var wing(const Var& x, const Var& target, const Tensor& weight = {},
         const WingOptions& options = {}, LossMean mean = LossMean::elements);

/// The mean of weight * binary cross entropy of logits and targets in 0..1, which get no gradient.
Var bce_with_logits(const Var& logits, const Var& target, const Tensor& weight = {},
                    LossMean mean = LossMean::elements);

/// The mean of weight * the elements' parts of the Jensen-Shannon divergence of p and q.
Var js_divergence(const Var& p, const Var& q, const Tensor& weight = {},
                  LossMean mean = LossMean::elements);

/// The weighted mean of how far points [...,2] are from their targets, quadratic below `beta`; the
/// weight has one element per point. Also of the pairs of neighbours of a longer last dimension.
Var distance(const Var& x, const Var& target, const Tensor& weight = {}, double beta = 0);

/// The mean over images of how close the points [N,K,2] of an image are to each other: the sum of
/// exp(-d^2 / (2 sigma^2)) over pairs, both orders counted, with d in a frame of area 1 and width /
/// height = aspect (kernels/loss/separation.h).
Var separation(const Var& points, double sigma, double aspect = 1);

/// How far the maps of landmarks spread: 2 pi e s^2 from their variances [N,K,2] in unit
/// coordinates, summed over landmarks, averaged over images; `aspect` is width / height.
Var concentration(const Var& variance, double aspect = 1, Spread form = Spread::variance);

/// How much distributions over pixels p [N,H,W,K] overlap, 0 if not at all; the mean over images.
Var diversity(const Var& p, DiversityForm form = DiversityForm::linear);

}  // namespace cairn
