#include "training/optimizer.h"

#include "kernels/optimizer/adam.h"
#include "kernels/optimizer/gradient_norm.h"
#include "kernels/optimizer/rmsprop.h"
#include "kernels/optimizer/sgd.h"
#include "runtime/error.h"
#include "runtime/profile_range.h"

namespace cairn {
namespace {

void check(const OptimizerConfig& c) {
  std::string wrong;
  const auto require = [&](bool ok, const char* name, double value) {
    if (!ok) wrong += (wrong.empty() ? "" : "; ") + text(name, " is ", value);
  };
  require(c.beta1 >= 0 && c.beta1 < 1, "beta1", c.beta1);
  require(c.beta2 >= 0 && c.beta2 < 1, "beta2", c.beta2);
  require(c.alpha >= 0 && c.alpha < 1, "alpha", c.alpha);
  require(c.eps >= 0, "eps", c.eps);
  require(c.momentum >= 0 && c.momentum < 1, "momentum", c.momentum);
  require(c.weight_decay >= 0, "weight_decay", c.weight_decay);
  require(!c.nesterov || c.momentum > 0, "nesterov is on, but momentum", c.momentum);
  if (!wrong.empty())
    throw UsageError("optimizer", wrong,
                     "beta1, beta2, alpha and momentum in [0,1), eps and weight_decay at least 0, "
                     "nesterov only with momentum",
                     "correct the optimizer section of the recipe");
}

}  // namespace

OptimizerKind parse_optimizer(std::string_view name) {
  if (name == "adam") return OptimizerKind::adam;
  if (name == "adamw") return OptimizerKind::adamw;
  if (name == "rmsprop") return OptimizerKind::rmsprop;
  if (name == "sgd") return OptimizerKind::sgd;
  throw UsageError("optimizer", text("the name is '", name, "'"), "adam, adamw, rmsprop or sgd",
                   "choose one of these");
}

OptimizerConfig OptimizerConfig::defaults(OptimizerKind kind) {
  OptimizerConfig c;
  c.kind = kind;
  if (kind == OptimizerKind::adamw) c.weight_decay = 0.01;
  return c;
}

Optimizer::Optimizer(const OptimizerConfig& config, Parameters& parameters)
    : config_(config), parameters_(parameters) {
  check(config);
  const Tensor& values = parameters.values();
  lr_ = Tensor::zeros({1}, values.dtype(), values.device());
  norm_ = Tensor::zeros({1}, values.dtype(), values.device());
  grad_scale_ = Tensor::full({1}, 1, values.dtype(), values.device());
  switch (config.kind) {
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
      add_state("exp_avg");
      add_state("exp_avg_sq");
      steps_ = Tensor::zeros({values.count() / flat_chunk}, DType::i32, values.device());
      break;
    case OptimizerKind::rmsprop:
      add_state("square_avg");
      break;
    case OptimizerKind::sgd:
      break;
  }
  const bool has_momentum =
      config.kind == OptimizerKind::rmsprop || config.kind == OptimizerKind::sgd;
  if (has_momentum && config.momentum > 0) {
    add_state("momentum_buffer");
    momentum_ = state_.back().values;
  }
}

void Optimizer::add_state(const char* name) {
  const Tensor& values = parameters_.values();
  state_.push_back({name, Tensor::zeros(values.shape(), values.dtype(), values.device())});
}

void Optimizer::step(double max_norm) {
  const ProfileRange range(Work::host, "optimizer step");
  Tensor& values = parameters_.values();
  const Tensor &grads = parameters_.grads(), scales = parameters_.chunk_scales();
  cairn::gradient_norm(grads, scales, max_norm, norm_, grad_scale_);
  const OptimizerConfig& c = config_;
  switch (c.kind) {
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
      adam(grads, scales, grad_scale_, lr_,
           {c.beta1, c.beta2, c.eps, c.weight_decay, c.kind == OptimizerKind::adamw}, values,
           state_[0].values, state_[1].values, steps_);
      break;
    case OptimizerKind::rmsprop:
      rmsprop(grads, scales, grad_scale_, lr_, {c.alpha, c.eps, c.weight_decay, c.momentum}, values,
              state_[0].values, momentum_);
      break;
    case OptimizerKind::sgd:
      sgd(grads, scales, grad_scale_, lr_, {c.momentum, c.weight_decay, c.nesterov}, values,
          momentum_);
      break;
  }
}

std::vector<Optimizer::NamedState> Optimizer::named_state() const {
  std::vector<NamedState> named;
  for (const Segment& s : parameters_.segments()) {
    const std::string prefix = "optimizer." + s.name + ".";
    for (const State& state : state_)
      named.push_back({prefix + state.name, state.values.part(s.offset, s.parameter->shape)});
    const int64_t first = s.offset / flat_chunk;
    const int64_t end = (s.offset + s.length + flat_chunk - 1) / flat_chunk;
    if (steps_.defined()) named.push_back({prefix + "step", steps_.rows(first, end)});
  }
  return named;
}

}  // namespace cairn
