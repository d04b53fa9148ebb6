#include "layers/functions_norm.h"

#include "layers/check.h"
#include "layers/trace.h"

namespace cairn {
namespace {

void check_batch_norm(const Var& x, const Var& gamma, const Var& beta, const Tensor& running_mean,
                      const Tensor& running_var, const BatchNormOptions& options) {
  Check check("batch_norm");
  check.argument("x", x).require(x.value().rank() >= 1, "x has rank 0");
  if (check.fine()) {
    const Shape per_channel{x.dim(-1)};
    const auto vector = [&](const char* name, const Tensor& t) {
      check.argument(name, t);
      check.require(t.shape() == per_channel, name, " has shape ", t.shape(), " for ", x.dim(-1),
                    " channels");
      check.parameter(name, t, x.value());
    };
    vector("gamma", gamma.value());
    vector("beta", beta.value());
    vector("running_mean", running_mean);
    vector("running_var", running_var);
    check.require(!x.tape().training || x.value().count() != x.dim(-1),
                  "training on a single value per channel");
  }
  check.require(options.act != Activation::sigmoid && options.act != Activation::softplus,
                "the activation is none of those that a norm can end in");
  check.require(options.slope >= 0, "slope is ", options.slope);
  check.require(options.eps > 0, "eps is ", options.eps);
  check.require(options.momentum >= 0 && options.momentum <= 1, "momentum is ", options.momentum);
  check.done(
      "x [...,C], the others [C], of one type (f32 beside bf16) and device; two rows or more "
      "when training; slope >= 0",
      "give the layer the channels it was built for, batches of two or more pixels, and other "
      "activations a call of their own");
}

}  // namespace

Var batch_norm(const Var& x, const Var& gamma, const Var& beta, Tensor& running_mean,
               Tensor& running_var, const BatchNormOptions& options) {
  check_batch_norm(x, gamma, beta, running_mean, running_var, options);
  Tensor y = x.value().empty_like();
  Tensor mean = gamma.value().empty_like(), invstd = gamma.value().empty_like();
  const Statistics statistics = x.tape().training ? Statistics::batch : Statistics::running;
  if (statistics == Statistics::batch)
    batch_norm_training(x.value(), gamma.value(), beta.value(), options, running_mean, running_var,
                        mean, invstd, y);
  else
    batch_norm_evaluation(x.value(), gamma.value(), beta.value(), options, running_mean,
                          running_var, mean, invstd, y);
  Trace::add(x.tape(), "batch_norm",
             {x.value(), gamma.value(), beta.value(), running_mean, running_var}, y,
             {{"eps", options.eps}, {"activation", double(options.act)}, {"slope", options.slope}});
  Var result = x.tape().record(
      "batch_norm", {x, gamma, beta}, y,
      [=, xv = x.value(), g = gamma.value(), b = beta.value()](const Tensor& dy, Grads& grads) {
        Tensor *dx = grads.want(0), *dgamma = grads.want(1), *dbeta = grads.want(2);
        Tensor unwanted_gamma, unwanted_beta;
        if (!dgamma) dgamma = &(unwanted_gamma = g.empty_like());
        if (!dbeta) dbeta = &(unwanted_beta = g.empty_like());
        batch_norm_backward(xv, dy, g, b, mean, invstd, options.act, options.slope, statistics, dx,
                            *dgamma, *dbeta);
      });
  if (options.act == Activation::none) return result;
  return result.computed_by([=, xv = x.value(), g = gamma.value(), b = beta.value()] {
    Tensor again = xv.empty_like();
    batch_norm_apply(xv, g, b, mean, invstd, options.act, options.slope, again);
    return again;
  });
}

}  // namespace cairn
