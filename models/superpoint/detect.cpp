// How SuperPoint's output becomes keypoints: heatmap, the best points in order, their descriptors.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/descriptor/l2_normalize.h"
#include "kernels/descriptor/sample_descriptors.h"
#include "kernels/elementwise/add.h"
#include "kernels/elementwise/cast.h"
#include "kernels/elementwise/scale.h"
#include "kernels/heatmap/detector_heatmap.h"
#include "kernels/points/best_peaks.h"
#include "kernels/pool/upsample_bilinear.h"
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

// What the network says of images at one of its scales.
struct View {
  Tensor logits;       // [N,h/8,w/8,65]
  Tensor descriptors;  // [N,h/8,w/8,C]; undefined without the head
};

// Of an image side, in whole cells.
int64_t scaled(int64_t side, double scale) {
  constexpr double cell = SuperPoint::cell;
  return std::max<int64_t>(1, std::llround(double(side) * scale / cell)) * SuperPoint::cell;
}

Tensor resized(const Tensor& image, int64_t height, int64_t width) {
  const DType type = image.dtype() == DType::bf16 ? DType::f32 : image.dtype();
  const Tensor from = as_type(image, type);
  Tensor y = from.empty_like({image.dim(0), height, width, image.dim(3)});
  upsample_bilinear(from, Align::edges, y);
  return as_type(y, image.dtype());
}

// [N,H,W] from a view's, as large as the image.
Tensor resized_heat(const Tensor& heat, int64_t height, int64_t width) {
  const Tensor map = heat.reshape({heat.dim(0), heat.dim(1), heat.dim(2), 1});
  return resized(map, height, width).reshape({heat.dim(0), height, width});
}

// [N,height,width]: the mean of the views' heatmaps, each with the weight of its scale.
Tensor mean_heat(const std::vector<View>& views, const std::vector<double>& scales, int64_t height,
                 int64_t width) {
  const double all = std::accumulate(scales.begin(), scales.end(), 0.0);
  Tensor mean;
  for (size_t i = 0; i < views.size(); ++i) {
    Tensor small = superpoint_heatmap(views[i].logits);
    scale(small, scales[i] / all, small);
    const Tensor heat = resized_heat(small, height, width);
    if (mean.defined())
      accumulate(heat, mean);
    else
      mean = heat;
  }
  return mean;
}

// Where pixels of an image of `side` lie in a descriptor map of `cells`: the scale and the offset.
std::pair<double, double> grid_axis(int64_t cells, int64_t side,
                                    SuperPointOptions::Sampling sampling) {
  constexpr double cell = SuperPoint::cell;
  const double size = double(cells) * cell, shrunk = size / double(side);
  // First to the pixels of the view, about the edges, then to its cells.
  const double offset = (shrunk - 1) / 2;
  if (sampling == SuperPointOptions::Sampling::exact)
    return {shrunk / cell, (offset + 0.5) / cell - 0.5};
  const double to_cells = double(cells - 1) / size;
  return {shrunk * to_cells, offset * to_cells};
}

// Unit descriptors at the points, [N,K,C], of images of this size: the direction of the sum of the
// views' unit descriptors.
Tensor descriptors_at(const Tensor& points, const std::vector<View>& views, int64_t height,
                      int64_t width, SuperPointOptions::Sampling sampling) {
  Tensor sum;
  for (const View& view : views) {
    const Tensor& map = view.descriptors;
    const auto [sx, ox] = grid_axis(map.dim(2), width, sampling);
    const auto [sy, oy] = grid_axis(map.dim(1), height, sampling);
    Tensor y = map.empty_like({points.dim(0), points.dim(1), map.dim(3)});
    sample_descriptors(map, points, {sx, sy, ox, oy}, y);
    if (sum.defined())
      accumulate(y, sum);
    else
      sum = y;
  }
  if (views.size() > 1) l2_normalize(sum, descriptor_eps, sum);
  return sum;
}

// What of the selected points goes to the host; `descriptors` [N,K,C] may be undefined.
std::vector<Tensor> for_host(const BestPeaks& selected, const Tensor& descriptors) {
  std::vector<Tensor> found{selected.count, selected.point, selected.score};
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
  check(image.shape());
  const int64_t height = image.dim(1), width = image.dim(2);
  const PointOptions wanted = point_options(height, width, options);
  std::vector<View> views;
  for (double s : options_.scales) {
    const int64_t h = scaled(height, s), w = scaled(width, s);
    Tape tape(false);
    const Tensor seen = h == height && w == width ? image : resized(image, h, w);
    const Output out = forward(tape.constant(seen));
    views.push_back({out.logits.value(), {}});
    if (out.descriptors.defined()) views.back().descriptors = out.descriptors.value();
  }
  const bool once = views.size() == 1 && views[0].logits.dim(1) * cell == height &&
                    views[0].logits.dim(2) * cell == width;
  const BestPeaks selected =
      once ? select_detector_points(views[0].logits, wanted)
           : select_points(mean_heat(views, options_.scales, height, width), wanted);
  Tensor descriptors;
  if (views[0].descriptors.defined())
    descriptors = descriptors_at(selected.point, views, height, width, options_.sampling);
  return for_host(selected, descriptors);
}

std::vector<Keypoints> SuperPoint::keypoints_from(const std::vector<Tensor>& found,
                                                  const Shape&) const {
  return on_host(found);
}

}  // namespace cairn
