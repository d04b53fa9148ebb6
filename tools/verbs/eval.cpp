// cairn eval: how good a model is on data with known answers.
#include <cmath>
#include <iomanip>
#include <iostream>
#include <memory>

#include "models/model_file.h"
#include "runtime/error.h"
#include "tools/eval_homography.h"
#include "tools/eval_keypoints.h"
#include "tools/eval_landmarks.h"
#include "tools/table.h"
#include "training/classical_detectors.h"
#include "training/detector_evaluation.h"

namespace cairn {
namespace {

struct EvalOptions {
  std::string model, architecture, size = "120x160";
  int64_t images = 500;
  uint64_t seed = 1;
  bool classical = false, json = false;
  Device device = Device::cpu;
};

Json row(const std::string& method, const DetectorScore& s) {
  return {{"method", method},
          {"ap_clean", number(s.ap_clean)},
          {"ap_noisy", number(s.ap_noisy)},
          {"localization_error_clean", number(s.error_clean)},
          {"localization_error_noisy", number(s.error_noisy)}};
}

void print(const Json& rows, int64_t images) {
  std::cout << "synthetic shapes, " << images
            << " fresh images, each clean and noisy; a hit lies within 3 px\n\n"
            << "  method        AP clean   AP noisy   error clean   error noisy\n";
  const auto cell = [](const Json& v, int width, bool pixels) {
    std::ostringstream out;
    if (v.is_null())
      out << "-";
    else
      out << std::fixed << std::setprecision(pixels ? 2 : 3) << v.get<double>()
          << (pixels ? " px" : "");
    std::cout << std::setw(width) << out.str();
  };
  for (const Json& r : rows) {
    std::cout << "  " << std::left << std::setw(11) << r["method"].get<std::string>() << std::right;
    cell(r["ap_clean"], 11, false);
    cell(r["ap_noisy"], 11, false);
    cell(r["localization_error_clean"], 14, true);
    cell(r["localization_error_noisy"], 14, true);
    std::cout << '\n';
  }
}

void shapes(const EvalOptions& o) {
  if (o.model.empty() && !o.classical)
    throw UsageError("cairn eval shapes", "neither --model nor --classical",
                     "something to evaluate",
                     "name a model file, or ask for the classical detectors");
  MagicPointData data;
  data.seed = o.seed;
  const Size size = parse_size("--size", o.size);
  data.shapes.height = int(size.height);
  data.shapes.width = int(size.width);
  Json rows = Json::array();
  if (!o.model.empty()) {
    const LoadedModel loaded = load_model(o.model, o.architecture, o.device);
    rows.push_back(
        row("model", evaluate_detector(model_detector(*loaded.model, o.device), data, o.images)));
  }
  if (o.classical && !have_classical_detectors())
    std::cerr << "the classical detectors are left out: this build has no OpenCV\n";
  if (o.classical && have_classical_detectors())
    for (ClassicalDetector d : classical_detectors) {
      DetectorScore s = evaluate_detector(
          [d](const Tensor& image) { return classical_corners(d, image); }, data, o.images);
      s.error_clean = s.error_noisy =
          NAN;  // their scores are no probabilities: none is "above one half"
      rows.push_back(row(name(d), s));
    }
  if (o.json)
    print_json({{"images", o.images}, {"size", o.size}, {"radius", 3}, {"results", rows}});
  else
    print(rows, o.images);
}

}  // namespace

void add_eval(CLI::App& verb) {
  describe(verb, "Measure a model on data with known answers",
           "cairn eval shapes --model runs/magicpoint/model.safetensors --classical\n"
           "  cairn eval homography hpatches/ --model superpoint.safetensors --method sift\n"
           "  cairn eval pairs --model superpoint.safetensors\n"
           "  cairn eval keypoints --truth dev.csv --predictions results.json");
  auto o = std::make_shared<EvalOptions>();
  CLI::App* on_shapes =
      verb.add_subcommand("shapes", "average precision on fresh synthetic shapes");
  on_shapes->add_option("--model", o->model, "a model file")->type_name("FILE");
  on_shapes->add_option("--arch", o->architecture, "its architecture, if the file does not say it")
      ->type_name("NAME");
  on_shapes->add_option("--images", o->images, "how many")
      ->capture_default_str()
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  on_shapes->add_option("--size", o->size, "height x width")
      ->capture_default_str()
      ->type_name("HxW");
  on_shapes->add_option("--seed", o->seed, "of the test images")
      ->capture_default_str()
      ->type_name("N");
  on_shapes->add_flag("--classical", o->classical, "also FAST, Harris and Shi-Tomasi (OpenCV)");
  add_device_options(*on_shapes, o->device);
  add_json_option(*on_shapes, o->json);
  on_shapes->callback([o] { shapes(*o); });
  add_eval_homography(verb);
  add_eval_pairs(verb);
  add_eval_keypoints(verb);
  add_eval_landmarks(verb);
  verb.require_subcommand(1);
}

}  // namespace cairn
