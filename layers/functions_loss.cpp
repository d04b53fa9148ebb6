#include "layers/functions_loss.h"

#include <algorithm>

#include "kernels/loss/bce_with_logits.h"
#include "kernels/loss/distance.h"
#include "kernels/loss/js_divergence.h"
#include "kernels/loss/mse.h"
#include "kernels/loss/separation.h"
#include "kernels/loss/smooth_l1.h"
#include "layers/check.h"

namespace cairn {
namespace {

void check_loss(const char* op, const Var& x_var, const Var& target, const Tensor& weight,
                double beta) {
  const Tensor& x = x_var.value();
  Check check(op);
  check.argument("x", x_var).argument("target", target).argument("weight", weight);
  check.require(target.shape() == x.shape(), "target differs in shape from x");
  check.alike("target", target.value(), "x", x);
  if (weight.defined()) {
    const bool per_channel = x.rank() >= 2 && weight.shape() == Shape{x.dim(0), x.dim(-1)};
    check.require(per_channel || weight.shape() == x.shape(),
                  "weight has neither the shape of x nor one value per sample and channel");
    check.alike("weight", weight, "x", x);
  }
  check.require(beta >= 0, "beta is ", beta);
  check.done("x and target [N,...,C], weight [N,...,C] or [N,C], of one type and device; beta >= 0",
             "bring the target to the size of the prediction");
}

// `forward(loss, factor)` and `backward(a, b, factor, dloss, da)`: the loss depends on the
// difference of its arguments and on nothing else, so the gradient of the target is the backward
// with both exchanged.
template <class Forward, class BackwardOf>
Var record_loss(const char* op, const Var& x, const Var& target, Forward&& forward,
                BackwardOf&& backward) {
  Tensor loss = x.value().empty_like(Shape{}), factor = x.value().empty_like(Shape{1});
  forward(loss, factor);
  return x.tape().record(
      op, {x, target}, loss,
      [xv = x.value(), tv = target.value(), factor, backward](const Tensor& dloss, Grads& grads) {
        if (Tensor* dx = grads.want(0)) backward(xv, tv, factor, dloss, *dx);
        if (Tensor* dt = grads.want(1)) backward(tv, xv, factor, dloss, *dt);
      });
}

}  // namespace

Var mse(const Var& x, const Var& target, const Tensor& weight, LossMean mean) {
  check_loss("mse", x, target, weight, 0);
  return record_loss(
      "mse", x, target,
      [&](Tensor& loss, Tensor& factor) {
        mse(x.value(), target.value(), weight, mean, loss, factor);
      },
      [weight](const Tensor& a, const Tensor& b, const Tensor& factor, const Tensor& dloss,
               Tensor& da) { mse_backward(a, b, weight, factor, dloss, da); });
}

Var smooth_l1(const Var& x, const Var& target, const Tensor& weight, double beta, LossMean mean) {
  check_loss("smooth_l1", x, target, weight, beta);
  return record_loss(
      "smooth_l1", x, target,
      [&](Tensor& loss, Tensor& factor) {
        smooth_l1(x.value(), target.value(), weight, beta, mean, loss, factor);
      },
      [weight, beta](const Tensor& a, const Tensor& b, const Tensor& factor, const Tensor& dloss,
                     Tensor& da) { smooth_l1_backward(a, b, weight, beta, factor, dloss, da); });
}

Var wing(const Var& x, const Var& target, const Tensor& weight, const WingOptions& options,
         LossMean mean) {
  check_loss("wing", x, target, weight, std::min(options.width, options.curvature));
  return record_loss(
      "wing", x, target,
      [&](Tensor& loss, Tensor& factor) {
        wing(x.value(), target.value(), weight, options, mean, loss, factor);
      },
      [weight, options](const Tensor& a, const Tensor& b, const Tensor& factor, const Tensor& dloss,
                        Tensor& da) { wing_backward(a, b, weight, options, factor, dloss, da); });
}

Var bce_with_logits(const Var& logits, const Var& target, const Tensor& weight, LossMean mean) {
  check_loss("bce_with_logits", logits, target, weight, 0);
  const Tensor &x = logits.value(), &t = target.value();
  Tensor loss = x.empty_like(Shape{}), factor = x.empty_like(Shape{1});
  bce_with_logits(x, t, weight, mean, loss, factor);
  return logits.tape().record("bce_with_logits", {logits}, loss,
                              [x, t, weight, factor](const Tensor& dloss, Grads& grads) {
                                if (Tensor* dx = grads.want(0))
                                  bce_with_logits_backward(x, t, weight, factor, dloss, *dx);
                              });
}

Var js_divergence(const Var& p, const Var& q, const Tensor& weight, LossMean mean) {
  check_loss("js_divergence", p, q, weight, 0);
  return record_loss(
      "js_divergence", p, q,
      [&](Tensor& loss, Tensor& factor) {
        js_divergence(p.value(), q.value(), weight, mean, loss, factor);
      },
      [weight](const Tensor& a, const Tensor& b, const Tensor& factor, const Tensor& dloss,
               Tensor& da) { js_divergence_backward(a, b, weight, factor, dloss, da); });
}

Var distance(const Var& x, const Var& target, const Tensor& weight, double beta) {
  Check check("distance");
  check.argument("x", x).argument("target", target).argument("weight", weight);
  check.require(x.value().rank() >= 1 && x.dim(-1) % 2 == 0, "the last dimension holds no pairs")
      .require(target.shape() == x.shape(), "target differs in shape from x")
      .alike("target", target.value(), "x", x.value())
      .require(beta >= 0, "beta is ", beta);
  if (weight.defined())
    check.require(2 * weight.count() == x.value().count(), "weight has ", weight.count(), " values")
        .alike("weight", weight, "x", x.value());
  check.done("x and target [...,2], one weight for each pair, of one type and device; beta >= 0",
             "give every point its own weight");
  return record_loss(
      "distance", x, target,
      [&](Tensor& loss, Tensor& factor) {
        distance(x.value(), target.value(), weight, beta, loss, factor);
      },
      [weight, beta](const Tensor& a, const Tensor& b, const Tensor& factor, const Tensor& dloss,
                     Tensor& da) { distance_backward(a, b, weight, beta, factor, dloss, da); });
}

Var separation(const Var& points, double sigma, double aspect) {
  Check("separation")
      .argument("points", points)
      .require(points.value().rank() == 3 && points.shape()[-1] == 2, "points have shape ",
               points.shape())
      .require(sigma > 0, "sigma is ", sigma)
      .require(aspect > 0, "the aspect is ", aspect)
      .done("points [N,K,2], sigma and aspect above 0", "give sigma in units of the frame's side");
  const Tensor& p = points.value();
  Tensor loss = p.empty_like(Shape{});
  separation(p, sigma, aspect, loss);
  return points.tape().record("separation", {points}, loss,
                              [p, sigma, aspect](const Tensor& dloss, Grads& grads) {
                                if (Tensor* dp = grads.want(0))
                                  separation_backward(p, sigma, aspect, dloss, *dp);
                              });
}

Var concentration(const Var& variance, double aspect, Spread form) {
  const Tensor& v = variance.value();
  Check("concentration")
      .argument("variance", variance)
      .require(v.rank() == 3 && v.dim(-1) == 2, "the variances have shape ", v.shape())
      .require(aspect > 0, "the aspect is ", aspect)
      .done("variances [N,K,2] and an aspect above 0",
            "give the variances of soft_argmax, spatial_moments or landmark_maps");
  Tensor loss = v.empty_like(Shape{});
  concentration(v, aspect, form, loss);
  return variance.tape().record("concentration", {variance}, loss,
                                [v, aspect, form](const Tensor& dloss, Grads& grads) {
                                  if (Tensor* dv = grads.want(0))
                                    concentration_backward(v, aspect, form, dloss, *dv);
                                });
}

Var diversity(const Var& p_var, DiversityForm form) {
  const Tensor& p = p_var.value();
  Check("diversity")
      .argument("p", p)
      .require(p.rank() == 4 && p.dim(-1) > 0, "these are not maps with channels")
      .done("p [N,H,W,K] with K of 1 or more", "give one map for each point, channels last");
  Tensor loss = p.empty_like(Shape{});
  diversity(p, form, loss);
  return p_var.tape().record("diversity", {p_var}, loss,
                             [p, form](const Tensor& dloss, Grads& grads) {
                               if (Tensor* dp = grads.want(0))
                                 diversity_backward(p, form, dloss, *dp);
                             });
}

}  // namespace cairn
