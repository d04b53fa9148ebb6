#include "models/model_file.h"

#include <nlohmann/json.hpp>

#include "layers/weights.h"
#include "runtime/error.h"

namespace cairn {
namespace {

std::string names() {
  std::string all;
  for (const std::string& name : model_names()) all += (all.empty() ? "" : ", ") + name;
  return all;
}

Options options_of(const SafetensorsFile& file, const std::string& path) {
  Options options;
  const auto found = file.metadata.find(options_key);
  if (found == file.metadata.end()) return options;
  const nlohmann::json json = nlohmann::json::parse(found->second, nullptr, false);
  const auto bad = [&] {
    return Error(path, text("its metadata '", options_key, "' is ", found->second),
                 "a JSON object of texts", "name the architecture with --arch");
  };
  if (!json.is_object()) throw bad();
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) throw bad();
    options[key] = value.get<std::string>();
  }
  return options;
}

}  // namespace

LoadedModel load_model(const std::string& path, const std::string& architecture, Device device,
                       const Options& options) {
  require_available(device);
  const SafetensorsFile file = read_safetensors(path);
  LoadedModel loaded;
  const auto said = file.metadata.find(architecture_key);
  if (!architecture.empty()) {
    loaded.model = make_model(architecture, options);
  } else if (said != file.metadata.end()) {
    Options all = options;
    all.merge(options_of(file, path));
    loaded.model = make_model(said->second, all);
  } else {
    throw UsageError(path, "the file does not say which architecture it is of", names(),
                     "name it with --arch");
  }
  loaded.parameters = std::make_unique<Parameters>(*loaded.model, device);
  load_weights(*loaded.model, file, path);
  return loaded;
}

std::map<std::string, std::string> model_metadata(const Model& model) {
  return {{architecture_key, model.architecture()},
          {options_key, nlohmann::json(model.options()).dump()}};
}

void save_model(const std::string& path, Model& model) {
  save_weights(path, model, model_metadata(model));
}

}  // namespace cairn
