#include "training/checkpoint.h"

#include <cstdlib>
#include <set>

#include "layers/weights.h"
#include "models/model_file.h"
#include "runtime/error.h"

namespace cairn {
namespace {

constexpr const char* step_key = "cairn.step";
constexpr const char* seconds_key = "cairn.seconds";
const std::vector<std::string> state_prefixes = {"optimizer.", "average."};

bool is_state(const std::string& name) {
  for (const std::string& prefix : state_prefixes)
    if (name.rfind(prefix, 0) == 0) return true;
  return false;
}

std::vector<Optimizer::NamedState> states(const Optimizer& optimizer,
                                          const WeightAverage* average) {
  auto named = optimizer.named_state();
  if (average)
    for (const auto& state : average->named_state()) named.push_back(state);
  return named;
}

}  // namespace

void save_checkpoint(const std::string& path, Model& model, const Optimizer& optimizer,
                     const WeightAverage* average, const RunState& state) {
  auto tensors = export_weights(model);
  for (const auto& values : states(optimizer, average))
    tensors.push_back({values.name, values.tensor.to(Device::cpu)});
  auto metadata = model_metadata(model);
  metadata[step_key] = std::to_string(state.step);
  metadata[seconds_key] = std::to_string(state.seconds);
  write_safetensors(path, tensors, metadata);
}

int64_t checkpoint_step(const std::string& path) try {
  const SafetensorsFile file = read_safetensors(path);
  const auto step = file.metadata.find(step_key);
  return step == file.metadata.end() ? -1 : std::atoll(step->second.c_str());
} catch (const Error&) {
  return -1;
}

RunState load_checkpoint(const std::string& path, Model& model, const Optimizer& optimizer,
                         const WeightAverage* average) {
  const SafetensorsFile file = read_safetensors(path);
  const auto step = file.metadata.find(step_key);
  std::string wrong;
  if (step == file.metadata.end()) wrong += text("\n  it does not say its ", step_key);
  std::set<std::string> known;
  for (const auto& state : states(optimizer, average)) {
    known.insert(state.name);
    const auto it = file.tensors.find(state.name);
    if (it == file.tensors.end())
      wrong += text("\n  ", state.name, ": missing");
    else if (it->second.shape() != state.tensor.shape() ||
             it->second.dtype() != state.tensor.dtype())
      wrong += text("\n  ", state.name, ": file ", it->second, ", run ", state.tensor);
  }
  for (const auto& [name, tensor] : file.tensors)
    if (is_state(name) && !known.count(name)) wrong += text("\n  ", name, ": not in this run");
  if (!wrong.empty())
    throw Error(path, "the checkpoint does not fit this run:" + wrong,
                "a checkpoint of the same model and optimizer",
                "resume with the config.toml that lies beside it");

  load_weights(model, file, path, state_prefixes);
  for (auto& state : states(optimizer, average))
    state.tensor.copy_from(file.tensors.at(state.name));
  const auto seconds = file.metadata.find(seconds_key);
  return {std::atoll(step->second.c_str()),
          seconds == file.metadata.end() ? 0 : std::atof(seconds->second.c_str())};
}

}  // namespace cairn
