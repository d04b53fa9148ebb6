#include "training/replay.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "layers/weights.h"
#include "models/model.h"
#include "runtime/error.h"
#include "runtime/layout.h"
#include "training/training_step.h"

namespace cairn {
namespace {

using nlohmann::json;

json read_recording(const std::string& path) {
  std::ifstream in(path);
  if (!in)
    throw Error(path, "it cannot be read", "the description of a recording", "check the folder");
  json j = json::parse(in, nullptr, false);
  std::string missing;
  for (const char* key : {"model", "options", "loss", "optimizer", "losses", "gradient_norms"})
    if (!j.is_object() || !j.contains(key)) missing += text(missing.empty() ? "" : ", ", key);
  if (!missing.empty())
    throw Error(path, text("missing: ", missing),
                "model, options, loss, optimizer, losses, gradient_norms",
                "record it again; the format is in training/replay.h");
  return j;
}

Options text_options(const json& j) {
  Options options;
  for (const auto& [key, value] : j.items())
    options[key] = value.is_string() ? value.get<std::string>() : value.dump();
  return options;
}

// A recording's loss as options of the model's own.
Options loss_options(const std::string& loss) {
  static const std::map<std::string, Options> known = {
      {"magicpoint", {}},
      {"heatmap_mse", {{"stacks", "sum"}}},
      {"landmark_autoencoder", {}},
  };
  const auto it = known.find(loss);
  if (it == known.end())
    throw UsageError("loss", text("the recording asks for '", loss, "'"),
                     "magicpoint, heatmap_mse, landmark_autoencoder", "record it with one of them");
  return it->second;
}

struct RecordedOptimizer {
  OptimizerConfig config;
  double lr;

  explicit RecordedOptimizer(const json& j)
      : config(OptimizerConfig::defaults(parse_optimizer(j.at("name").get<std::string>()))),
        lr(j.at("lr").get<double>()) {
    if (j.contains("betas")) {
      config.beta1 = j["betas"].at(0);
      config.beta2 = j["betas"].at(1);
    }
    config.alpha = j.value("alpha", config.alpha);
    config.eps = j.value("eps", config.eps);
    config.momentum = j.value("momentum", config.momentum);
    config.nesterov = j.value("nesterov", config.nesterov);
    config.weight_decay = j.value("weight_decay", config.weight_decay);
  }
};

// Rank-4 real tensors come as N,C,H,W; everything real gets the run's precision.
Batch recorded_batch(const std::string& path, DType precision) {
  Batch batch;
  for (const auto& [name, tensor] : read_safetensors(path).tensors) {
    Tensor t = tensor.dtype() == DType::i32 ? tensor : tensor.to(precision);
    if (t.rank() == 4) t = channels_last(t);
    batch[name] = t;
  }
  return batch;
}

void compare_weights(Model& model, const std::string& path, ReplayResult& result) {
  const SafetensorsFile file = read_safetensors(path);
  for (const auto& [name, ours] : export_weights(model)) {
    const auto it = file.tensors.find(name);
    if (it == file.tensors.end()) continue;
    const auto a = ours.to(DType::f64).values<double>(),
               b = it->second.to(DType::f64).values<double>();
    for (size_t i = 0; i < a.size(); ++i) {
      const double error = std::abs(a[i] - b[i]);
      if (!(error <= result.max_weight_error)) {
        result.max_weight_error = error;
        result.max_weight_name = name;
      }
    }
  }
}

}  // namespace

ReplayResult replay(const std::string& dir, Device device, DType precision) {
  require_available(device);
  const json recording = read_recording(dir + "/replay.json");
  ReplayResult result;
  result.model = recording["model"];
  result.recorded_losses = recording["losses"].get<std::vector<double>>();
  result.recorded_gradient_norms = recording["gradient_norms"].get<std::vector<double>>();

  const std::unique_ptr<Model> model = make_model(result.model, text_options(recording["options"]));
  model->set_loss_options(loss_options(recording["loss"]));
  Parameters parameters(*model, device, precision);
  load_weights(*model, dir + "/weights.safetensors");
  const RecordedOptimizer recorded(recording["optimizer"]);
  Optimizer optimizer(recorded.config, parameters);
  TrainingStep step(*model, parameters, optimizer);
  const Batch batch = recorded_batch(dir + "/batch.safetensors", precision);

  for (const double want : result.recorded_losses) {
    result.losses.push_back(step.run(batch, recorded.lr).loss.item());
    result.gradient_norms.push_back(optimizer.gradient_norm().item());
    const double error = std::abs(result.losses.back() - want) / std::abs(want);
    if (!(error <= result.max_relative_loss_error)) result.max_relative_loss_error = error;
  }
  compare_weights(*model, dir + "/weights_after.safetensors", result);
  return result;
}

}  // namespace cairn
