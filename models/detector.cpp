#include "models/detector.h"

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
  if (!captures()) return model_.detect(batch.to(place_.device), options_);
  const Shape& shape = batch.shape();
  if (!sizes_.contains(key(shape))) {
    // This one makes what is made once: folded weights, plans of libraries, kernels in their
    // memory.
    if (sizes_.size() == most_sizes) sizes_.clear();
    sizes_[key(shape)];
    return model_.detect(batch.to(place_.device), options_);
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
