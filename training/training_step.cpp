#include "training/training_step.h"

#include <algorithm>
#include <optional>

#include "kernels/elementwise/cast.h"
#include "layers/prepared_weights.h"
#include "runtime/error.h"
#include "runtime/profile.h"

namespace cairn {
namespace {

// So many steps make what is made once: constants, plans of libraries, kernels in their memory.
constexpr int warm_ups = 2;

bool alike(const Batch& a, const Batch& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.shape() == y.second.shape() &&
           x.second.dtype() == y.second.dtype();
  });
}

}  // namespace

TrainingStep::TrainingStep(Model& model, Parameters& parameters, Optimizer& optimizer,
                           const StepOptions& options)
    : model_(model),
      parameters_(parameters),
      optimizer_(optimizer),
      options_(options),
      device_(parameters.values().device()) {
  if (options.activations != DType::bf16) return;
  if (device_ == Device::cpu)
    throw UsageError("precision", "no kernel of a cpu trains in bf16", "cuda or simt with it",
                     "train in fp32; bf16 training needs a GPU");
  require_computing_in(DType::bf16, device_, model);
}

// Activations have the type of the image.
Loss TrainingStep::forward(Tape& tape, Batch batch) {
  const ProfileRange range(Work::host, "forward");
  if (options_.activations == DType::bf16) {
    Tensor& image = batch.at("image");
    image = as_type(image, DType::bf16);
  }
  return model_.loss(tape, batch);
}

StepResult TrainingStep::compute(const Batch& batch) {
  parameters_.begin_step();
  std::optional<RoundedParameters> rounded;
  if (options_.activations == DType::bf16) rounded.emplace(parameters_.values());
  Tape tape;
  tape.training = true;
  tape.detect_anomaly(options_.detect_anomaly);
  const Loss loss = forward(tape, options_.prepare ? options_.prepare(batch) : batch);
  tape.backward(loss.total);
  optimizer_.step(options_.max_norm);
  return {loss.total.value(), loss.terms};
}

bool TrainingStep::captures(const Batch& batch) {
  if (!options_.capture || options_.detect_anomaly || !Graph::exists_on(device_) ||
      Profile::recording())
    return false;
  if (fixed_.empty())
    for (const auto& [name, t] : batch) fixed_[name] = Tensor::empty(t.shape(), t.dtype(), device_);
  return alike(batch, fixed_);
}

Batch TrainingStep::moved(Batch batch) const {
  const ProfileRange range(Work::host, "copy the batch");
  for (auto& [name, t] : batch) t = t.to(device_);
  return batch;
}

const StepResult& TrainingStep::run(const Batch& batch, double lr) {
  optimizer_.set_learning_rate(lr);
  if (captures(batch)) {
    std::vector<std::pair<Tensor, Tensor>> copies;
    for (const auto& [name, t] : batch) copies.push_back({t, fixed_.at(name)});
    staging_.copy(copies);
    return run_fixed();
  }
  return eager_ = compute(moved(batch));
}

const StepResult& TrainingStep::run_fixed() {
  if (!graph_ && warm_ups_ < warm_ups) {
    eager_ = compute(fixed_);
    ++warm_ups_;  // one that failed warmed nothing up
    return eager_;
  }
  if (!graph_) {
    eager_ = {};
    graph_ = std::make_unique<Graph>(device_, [this] { captured_ = compute(fixed_); });
  }
  graph_->replay();
  return captured_;
}

}  // namespace cairn
