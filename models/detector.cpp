#include "models/detector.h"

#include <algorithm>
#include <optional>

#include "runtime/autotuner.h"
#include "runtime/profile.h"

namespace cairn {

namespace {

constexpr size_t most_sizes = 4;

}  // namespace

bool Detector::captures() const {
  return Graph::exists_on(place_.device) && !options_.flip && !Profile::recording();
}

bool Detector::captured(const Shape& batch) const {
  const auto found = sizes_.find(key(batch));
  return found != sizes_.end() && found->second.graph;
}

std::vector<Keypoints> Detector::detect(const Tensor& batch) {
  const InferenceWeights::Use use(weights_);
  std::vector<Keypoints> found = above_threshold(batch);
  DetectOptions faint = options_;
  faint.threshold = std::min(options_.threshold, faint_score);
  faint.top_k = options_.top_k > 0 ? std::min(options_.least, options_.top_k) : options_.least;
  std::optional<Autotuner::Pause> pause;
  if (sizes_met_ > most_sizes) pause.emplace(autotuner(place_.device));
  for (size_t n = 0; n < found.size(); ++n)
    if (int(found[n].points.size()) < faint.top_k) {
      const Tensor image = batch.rows(int64_t(n), int64_t(n) + 1);
      found[n] = model_.detect(image.to(place_.device), faint).at(0);
    }
  return found;
}

std::vector<Keypoints> Detector::above_threshold(const Tensor& batch) {
  if (!captures()) return model_.detect(batch.to(place_.device), options_);
  const Shape& shape = batch.shape();
  if (!sizes_.contains(key(shape))) {
    // This one makes what is made once: folded weights, plans of libraries, kernels in their
    // memory. Algorithms are measured for the first sizes alone: it takes longer than an image.
    std::optional<Autotuner::Pause> pause;
    if (sizes_met_ >= most_sizes) pause.emplace(autotuner(place_.device));
    std::vector<Keypoints> found = model_.detect(batch.to(place_.device), options_);
    if (sizes_.size() == most_sizes) sizes_.clear();
    sizes_[key(shape)];
    ++sizes_met_;
    return found;
  }
  Captured& c = sizes_.at(key(shape));
  if (!c.graph) {
    c.batch = Tensor::empty(shape, batch.dtype(), place_.device);
    c.graph = std::make_unique<Graph>(
        place_.device, [&] { c.found = model_.detect_on_device(c.batch, options_); });
  }
  staging_.copy({{batch, c.batch}});
  c.graph->replay();
  return model_.keypoints_from(c.reading.read(c.found), shape);
}

}  // namespace cairn
