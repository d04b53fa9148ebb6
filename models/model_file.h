#pragma once
// A model as a file: its weights, and in the metadata which architecture and options they are of.
#include <map>
#include <memory>
#include <string>

#include "models/model.h"

namespace cairn {

/// A model ready to run on a device.
struct LoadedModel {
  std::unique_ptr<Model> model;
  std::unique_ptr<Parameters> parameters;
};

/// Makes the model that the file says it is and loads its weights. `architecture` serves files made
/// by others, which say nothing, and wins over what the file says; "" leaves it to the file.
/// `options` win over the file's too.
/// Throws a UsageError when neither says it, and an Error that lists all mismatches when the
/// weights are of another architecture.
LoadedModel load_model(const std::string& path, const std::string& architecture, Device device,
                       const Options& options = {});

/// The metadata that lets load_model() make `model` again.
std::map<std::string, std::string> model_metadata(const Model& model);

/// Writes weights with model_metadata(), atomically.
void save_model(const std::string& path, Model& model);

}  // namespace cairn
