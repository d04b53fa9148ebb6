// How SuperPoint's output becomes keypoints: heatmap, the best points in order, their descriptors.
#include <algorithm>

#include "kernels/descriptor/sample_descriptors.h"
#include "kernels/heatmap/detector_heatmap.h"
#include "kernels/points/best_peaks.h"
#include "layers/functions_descriptor.h"
#include "layers/point_selection.h"
#include "models/superpoint.h"

namespace cairn {
namespace {

PointOptions point_options(int64_t height, int64_t width, const DetectOptions& o) {
  PointOptions p;
  p.threshold = o.threshold;
  p.nms_radius = o.nms_radius;
  p.border = o.border;
  p.refinement = o.refinement;
  const int64_t all = most_peaks(height, width, o.nms_radius);
  p.top_k = o.top_k > 0 ? std::min<int64_t>(o.top_k, all) : all;
  return p;
}

// Unit descriptors at the points, [N,K,C].
Tensor descriptors_at(const Tensor& points, const Tensor& map,
                      SuperPointOptions::Sampling sampling) {
  constexpr double cell = SuperPoint::cell;
  DescriptorGrid grid{1 / cell, 1 / cell, 0.5 / cell - 0.5, 0.5 / cell - 0.5};
  if (sampling == SuperPointOptions::Sampling::compat_v1) {
    const auto scale = [](int64_t cells) { return double(cells - 1) / (double(cells) * cell); };
    grid = {scale(map.dim(2)), scale(map.dim(1)), 0, 0};
  }
  Tensor y = map.empty_like({points.dim(0), points.dim(1), map.dim(3)});
  sample_descriptors(map, points, grid, y);
  return y;
}

// What of the selected points goes to the host; `descriptors` [N,K,C] may be undefined.
std::vector<Tensor> for_host(const SelectedPoints& selected, const Tensor& descriptors) {
  std::vector<Tensor> found{selected.count, selected.points, selected.scores};
  if (descriptors.defined()) found.push_back(descriptors);
  return found;
}

// The points of each image, from that on cpu.
std::vector<Keypoints> on_host(const std::vector<Tensor>& found) {
  const auto* count = found[0].data<int32_t>();
  const float *points = found[1].data<float>(), *scores = found[2].data<float>();
  const bool described = found.size() > 3;
  const int64_t slots = found[2].dim(1), channels = described ? found[3].dim(2) : 0;
  std::vector<Keypoints> all(found[0].count());
  for (size_t n = 0; n < all.size(); ++n) {
    Keypoints& k = all[n];
    const int64_t first = int64_t(n) * slots, last = first + count[n];
    for (int64_t i = first; i < last; ++i) k.points.push_back({points[2 * i], points[2 * i + 1]});
    k.scores.assign(scores + first, scores + last);
    k.descriptor_size = int(channels);
    if (!described) continue;
    const float* vectors = found[3].data<float>();
    k.descriptors.assign(vectors + first * channels, vectors + last * channels);
  }
  return all;
}

}  // namespace

std::map<std::string, Tensor> SuperPoint::raw_outputs(const Tensor& image) {
  Tape tape(false);
  const Output out = forward(tape.constant(image));
  std::map<std::string, Tensor> raw{{"semi", out.logits.value()}};
  if (out.descriptors.defined()) raw["desc"] = l2_normalize(out.descriptors).value();
  return raw;
}

Tensor superpoint_heatmap(const Tensor& logits) {
  const int64_t cell = SuperPoint::cell;
  Tensor heat = logits.empty_like({logits.dim(0), cell * logits.dim(1), cell * logits.dim(2)});
  detector_heatmap(logits, heat);
  return heat;
}

Tensor SuperPoint::heatmap(const Tensor& image) {
  Tape tape(false);
  return superpoint_heatmap(logits(features(tape.constant(image))).value());
}

std::vector<Keypoints> superpoint_points(const Tensor& heat, const DetectOptions& options) {
  const PointOptions o = point_options(heat.dim(1), heat.dim(2), options);
  std::vector<Tensor> found = for_host(select_points(heat, o), {});
  for (Tensor& t : found) t = t.to(Device::cpu);
  return on_host(found);
}

std::vector<Tensor> SuperPoint::detect_on_device(const Tensor& image,
                                                 const DetectOptions& options) {
  Tape tape(false);
  const Output out = forward(tape.constant(image));
  const SelectedPoints selected = select_detector_points(
      out.logits.value(), point_options(image.dim(1), image.dim(2), options));
  Tensor descriptors;
  if (out.descriptors.defined())
    descriptors = descriptors_at(selected.points, out.descriptors.value(), options_.sampling);
  return for_host(selected, descriptors);
}

std::vector<Keypoints> SuperPoint::keypoints_from(const std::vector<Tensor>& found,
                                                  const Shape&) const {
  return on_host(found);
}

}  // namespace cairn
