#include "tools/detect_options.h"

#include <map>

#include "runtime/error.h"
#include "runtime/profile_range.h"

namespace cairn {
namespace {

const std::map<std::string, Refinement> refinements = {{"none", Refinement::none},
                                                       {"quadratic", Refinement::quadratic},
                                                       {"soft_argmax", Refinement::soft_argmax}};

}  // namespace

const char* name(Refinement refinement) {
  for (const auto& [text, value] : refinements)
    if (value == refinement) return text.c_str();
  return "?";
}

void add_model_options(CLI::App& verb, std::string& model, std::string& architecture) {
  verb.add_option("--model", model, "a model file")->required()->type_name("FILE");
  verb.add_option("--arch", architecture,
                  "architecture of a model file that does not say it itself")
      ->type_name("NAME");
}

void add_point_options(CLI::App& verb, DetectOptions& detect) {
  verb.add_option("--threshold", detect.threshold, "least score; 0.015")
      ->type_name("P")
      ->check(CLI::Range(0.0, 1.0));
  verb.add_option("--nms", detect.nms_radius, "least distance between points - 1; 4")
      ->type_name("PX")
      ->check(CLI::Range(0, 1000));
  verb.add_option("--border", detect.border, "no points nearer to the edge than this; 4")
      ->type_name("PX")
      ->check(CLI::Range(0, 1000));
}

void add_named_point_options(CLI::App& verb, DetectOptions& detect) {
  verb.add_flag("--flip", detect.flip,
                "named points: average with the network's answer for mirror images");
  verb.add_option("--stacks", detect.stacks,
                  "named points: the answer of so many stacks of the network; all")
      ->type_name("N")
      ->check(CLI::Range(1, 64));
}

void add_set_option(CLI::App& verb, std::vector<std::string>& set) {
  verb.add_option("--set", set,
                  "an option of the model other than in its file: scales=1 looks at an image once, "
                  "decoder=argmax decodes named points otherwise")
      ->type_name("OPTION=VALUE")
      ->allow_extra_args(false);
}

void add_least_option(CLI::App& verb, int& least) {
  verb.add_option("--least", least,
                  text("at least so many points, the best ones below the threshold, so that dark "
                       "and blurred images have some; ",
                       least))
      ->type_name("N")
      ->check(CLI::Range(0, 1000000));
}

void add_subpixel_option(CLI::App& verb, Refinement& refinement) {
  verb.add_option_function<std::string>(
          "--subpixel",
          [&refinement](const std::string& value) { refinement = refinements.at(value); },
          "none, or points to a fraction of a pixel: quadratic (the top of the parabola through "
          "the logarithms of 3x3 scores) or soft_argmax (the mean over 5x5)")
      ->type_name("HOW")
      ->check(CLI::IsMember(refinements));
}

void add_detector_options(CLI::App& verb, DetectorArguments& o) {
  add_model_options(verb, o.model, o.architecture);
  add_set_option(verb, o.set);
  add_point_options(verb, o.detect);
  verb.add_option("--top-k", o.detect.top_k,
                  text("at most so many points, 0 for all; ", o.detect.top_k))
      ->type_name("N")
      ->check(CLI::Range(0, 1000000));
  add_subpixel_option(verb, o.detect.refinement);
  add_precision_option(verb, o.place.device, o.place.precision);
  add_device_options(verb, o.place.device);
}

LoadedModel load_detector(const DetectorArguments& o) {
  const ProfileRange range(Work::host, "load model");
  LoadedModel loaded =
      load_model(o.model, o.architecture, o.place.device, assignments("--set", o.set));
  require_computing_in(o.place.precision, o.place.device, *loaded.model);
  return loaded;
}

}  // namespace cairn
