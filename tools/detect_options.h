#pragma once
// The options of verbs that find keypoints with a network.
#include "models/image_detection.h"
#include "models/model_file.h"
#include "tools/verb.h"

namespace cairn {

struct DetectorArguments {
  std::string model, architecture;
  DetectOptions detect;
  InferencePlace place;
  std::vector<std::string> set = {};  ///< options of the model: KEY=VALUE
};

/// --model and --arch.
void add_model_options(CLI::App& verb, std::string& model, std::string& architecture);
/// --threshold, --nms and --border.
void add_point_options(CLI::App& verb, DetectOptions& detect);
/// --flip and --stacks, of networks of named points.
void add_named_point_options(CLI::App& verb, DetectOptions& detect);
/// --set, which `set` of DetectorArguments is.
void add_set_option(CLI::App& verb, std::vector<std::string>& set);
/// --least
void add_least_option(CLI::App& verb, int& least);
/// --subpixel
void add_subpixel_option(CLI::App& verb, Refinement& refinement);
/// All of these but --least and those of named points; --top-k, --precision, --device, --threads.
void add_detector_options(CLI::App& verb, DetectorArguments& arguments);

/// As --subpixel takes it.
const char* name(Refinement refinement);

/// Reads --model, and throws a UsageError when it cannot compute in --precision.
LoadedModel load_detector(const DetectorArguments& arguments);

}  // namespace cairn
