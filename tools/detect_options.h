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
};

/// --subpixel
void add_subpixel_option(CLI::App& verb, Refinement& refinement);

/// --model, --arch, --threshold, --nms, --border, --top-k, --subpixel, --precision, --device and --threads.
void add_detector_options(CLI::App& verb, DetectorArguments& arguments);

/// Reads --model, and throws a UsageError when it cannot compute in --precision.
LoadedModel load_detector(const DetectorArguments& arguments);

}  // namespace cairn
