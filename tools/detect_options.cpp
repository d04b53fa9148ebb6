#include "tools/detect_options.h"

#include <map>

namespace cairn {

void add_subpixel_option(CLI::App& verb, Refinement& refinement) {
  static const std::map<std::string, Refinement> refinements = {
      {"none", Refinement::none},
      {"quadratic", Refinement::quadratic},
      {"soft_argmax", Refinement::soft_argmax}};
  verb.add_option_function<std::string>(
          "--subpixel",
          [&refinement](const std::string& value) { refinement = refinements.at(value); },
          "none, or points to a fraction of a pixel: quadratic (the top of the parabola through "
          "the "
          "logarithms of 3x3 scores) or soft_argmax (the mean over 5x5)")
      ->type_name("HOW")
      ->check(CLI::IsMember(refinements));
}

void add_detector_options(CLI::App& verb, DetectorArguments& o) {
  verb.add_option("--model", o.model, "a model file")->required()->type_name("FILE");
  verb.add_option("--arch", o.architecture,
                  "architecture of a model file that does not say it itself")
      ->type_name("NAME");
  verb.add_option("--threshold", o.detect.threshold, "least score; 0.015")
      ->type_name("P")
      ->check(CLI::Range(0.0, 1.0));
  verb.add_option("--nms", o.detect.nms_radius, "least distance between points - 1; 4")
      ->type_name("PX")
      ->check(CLI::Range(0, 1000));
  verb.add_option("--border", o.detect.border, "no points nearer to the edge than this; 4")
      ->type_name("PX")
      ->check(CLI::Range(0, 1000));
  verb.add_option("--top-k", o.detect.top_k, "at most so many points, 0 for all; 1000")
      ->type_name("N")
      ->check(CLI::Range(0, 1000000));
  add_subpixel_option(verb, o.detect.refinement);
  add_precision_option(verb, o.place.precision);
  add_device_options(verb, o.place.device);
}

LoadedModel load_detector(const DetectorArguments& o) {
  LoadedModel loaded = load_model(o.model, o.architecture, o.place.device);
  require_inference_in(o.place.precision, *loaded.model);
  return loaded;
}

}  // namespace cairn
