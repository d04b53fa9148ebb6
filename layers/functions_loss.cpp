#include "layers/functions_loss.h"

#include "kernels/loss/mse.h"
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

}  // namespace cairn
