#include "training/keypoint_method.h"

#include <map>
#include <memory>
#include <tuple>

#include "runtime/error.h"
#include "runtime/random.h"
#include "training/opencv_keypoints.h"

namespace cairn {
namespace {

// Of a heatmap without suppression: more than the pixels that a thousand points suppress.
constexpr int most_pixels = 20000;

// Integer pixels, other ones in each image.
Keypoints random_points(const Tensor& image) {
  const uint8_t* bytes = image.data<uint8_t>();
  uint64_t seed = 0;
  for (int64_t i = 0; i < image.count(); ++i) seed = seed * 31 + bytes[i];
  Random random(seed);
  Keypoints k;
  for (int i = 0; i < 400; ++i) {
    k.points.push_back({float(random.integer(0, int(image.dim(1)) - 1)),
                        float(random.integer(0, int(image.dim(0)) - 1))});
    k.scores.push_back(float(random.uniform()));
  }
  return k;
}

}  // namespace

KeypointMethod model_method(const std::string& name, Model& model, const DetectOptions& base,
                            const InferencePlace& place) {
  // One for each set of options, so that a GPU captures its work once.
  using Options = std::tuple<int, int, int>;
  const auto detectors = std::make_shared<std::map<Options, Detector>>();
  const auto detect = [&model, base, place, detectors](const Tensor& image,
                                                       const Suppression& rule) {
    DetectOptions options = base;
    options.top_k = 0;
    const bool boxes = rule.rule == Suppression::Rule::boxes;
    if (rule.rule == Suppression::Rule::square) options.nms_radius = rule.size;
    if (boxes) {
      options.nms_radius = options.least = 0;
      options.top_k = most_pixels;
    }
    Detector& detector =
        detectors
            ->try_emplace({options.nms_radius, options.top_k, options.least}, model, options, place)
            .first->second;
    const Keypoints found = detect_keypoints(detector, image);
    return boxes ? suppressed(found, rule, int(image.dim(0)), int(image.dim(1))) : found;
  };
  return {name, model.channels(), detect};
}

std::vector<std::string> classical_method_names() {
  std::vector<std::string> names = opencv_methods();
  names.push_back("random");
  return names;
}

KeypointMethod classical_method(const std::string& name) {
  std::string known;
  for (const std::string& n : classical_method_names()) {
    known += (known.empty() ? "" : ", ") + n;
    if (n != name) continue;
    if (name != "random") require_opencv(name);
    const auto detect = [name](const Tensor& image, const Suppression& rule) {
      const Keypoints found =
          name == "random" ? random_points(image) : opencv_keypoints(name, image);
      return suppressed(found, rule, int(image.dim(0)), int(image.dim(1)));
    };
    return {name, 1, detect};
  }
  throw UsageError("--method", "'" + name + "' is unknown", known, "name one of them");
}

}  // namespace cairn
