// How SuperPoint's output becomes keypoints: heatmap, the best points in order, their descriptors.
#include <algorithm>

#include "kernels/heatmap/detector_heatmap.h"
#include "layers/functions_descriptor.h"
#include "layers/functions_warp.h"
#include "layers/point_selection.h"
#include "models/superpoint.h"

namespace cairn {
namespace {

PointOptions point_options(const Tensor& heat, const DetectOptions& o) {
  PointOptions p;
  p.threshold = o.threshold;
  p.nms_radius = o.nms_radius;
  p.border = o.border;
  // No more points than that fit beside each other.
  const int64_t apart = o.nms_radius + 1;
  const int64_t all = ((heat.dim(1) + apart - 1) / apart) * ((heat.dim(2) + apart - 1) / apart);
  p.top_k = o.top_k > 0 ? std::min<int64_t>(o.top_k, all) : all;
  return p;
}

// Unit descriptors at the points, [N,K,C] on the host. The map is made of unit vectors before it is
// sampled, as the network was trained.
std::vector<float> sample_descriptors(const Var& descriptors, const SelectedPoints& selected,
                                      SuperPointOptions::Sampling sampling) {
  const int64_t height = descriptors.dim(1), width = descriptors.dim(2);
  constexpr float cell = SuperPoint::cell;
  const auto place = [&](float pixel, int64_t cells) {
    if (sampling == SuperPointOptions::Sampling::compat_v1)
      return pixel * float(cells - 1) / (float(cells) * cell);
    return (pixel + 0.5f) / cell - 0.5f;
  };
  std::vector<float> at = selected.points.values<float>();
  for (size_t i = 0; i < at.size(); ++i) at[i] = place(at[i], i % 2 ? height : width);
  Tape& tape = descriptors.tape();
  const Tensor places = Tensor::from<float>(selected.points.shape(), at, descriptors.device());
  const Var sampled = sample_points(l2_normalize(descriptors), tape.constant(places));
  return l2_normalize(sampled).value().values<float>();
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

std::vector<Keypoints> SuperPoint::detect(const Tensor& image, const DetectOptions& options) {
  Tape tape(false);
  const Output out = forward(tape.constant(image));
  const Tensor heat = superpoint_heatmap(out.logits.value());
  const SelectedPoints selected = select_points(heat, point_options(heat, options));
  const int channels = out.descriptors.defined() ? int(out.descriptors.dim(3)) : 0;
  std::vector<float> descriptors;
  if (channels) descriptors = sample_descriptors(out.descriptors, selected, options_.sampling);

  const auto points = selected.points.values<float>(), scores = selected.scores.values<float>();
  const auto count = selected.count.values<int32_t>();
  const int64_t slots = selected.index.dim(1);
  std::vector<Keypoints> found(image.dim(0));
  for (size_t n = 0; n < found.size(); ++n) {
    Keypoints& k = found[n];
    const int64_t first = int64_t(n) * slots, last = first + count[n];
    for (int64_t i = first; i < last; ++i) k.points.push_back({points[2 * i], points[2 * i + 1]});
    k.scores.assign(scores.begin() + first, scores.begin() + last);
    k.descriptor_size = channels;
    if (channels)
      k.descriptors.assign(descriptors.begin() + first * channels,
                           descriptors.begin() + last * channels);
  }
  return found;
}

}  // namespace cairn
