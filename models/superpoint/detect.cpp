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
#include "kernels/pool/upsample_bilinear.h"
#include "layers/functions_descriptor.h"
#include "layers/point_selection.h"
#include "models/superpoint.h"

namespace cairn {
namespace {

PointOptions point_options(const Tensor& heat, const DetectOptions& o) {
  PointOptions p;
  p.threshold = o.threshold;
  p.nms_radius = o.nms_radius;
  p.border = o.border;
  p.refinement = o.refinement;
  // No more points than that fit beside each other.
  const int64_t apart = o.nms_radius + 1;
  const int64_t all = ((heat.dim(1) + apart - 1) / apart) * ((heat.dim(2) + apart - 1) / apart);
  p.top_k = o.top_k > 0 ? std::min<int64_t>(o.top_k, all) : all;
  return p;
}

// What the network says of images at one of its scales.
struct View {
  Tensor heat;         // [N,h,w]
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

// The mean of the views' heatmaps, each with the weight of its scale.
Tensor mean_heat(const std::vector<View>& views, const std::vector<double>& scales, int64_t height,
                 int64_t width) {
  if (views.size() == 1 && views[0].heat.dim(1) == height && views[0].heat.dim(2) == width)
    return views[0].heat;
  const double all = std::accumulate(scales.begin(), scales.end(), 0.0);
  Tensor mean;
  for (size_t i = 0; i < views.size(); ++i) {
    Tensor heat = resized_heat(views[i].heat, height, width);
    scale(heat, scales[i] / all, heat);
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

// The points of each image; `descriptors` [N,K,C] may be undefined.
std::vector<Keypoints> on_host(const SelectedPoints& selected, const Tensor& descriptors) {
  const auto points = selected.points.values<float>(), scores = selected.scores.values<float>();
  const auto count = selected.count.values<int32_t>();
  const int channels = descriptors.defined() ? int(descriptors.dim(2)) : 0;
  const auto vectors = channels ? descriptors.values<float>() : std::vector<float>();
  const int64_t slots = selected.index.dim(1);
  std::vector<Keypoints> found(count.size());
  for (size_t n = 0; n < found.size(); ++n) {
    Keypoints& k = found[n];
    const int64_t first = int64_t(n) * slots, last = first + count[n];
    for (int64_t i = first; i < last; ++i) k.points.push_back({points[2 * i], points[2 * i + 1]});
    k.scores.assign(scores.begin() + first, scores.begin() + last);
    k.descriptor_size = channels;
    k.descriptors.assign(vectors.begin() + first * channels, vectors.begin() + last * channels);
  }
  return found;
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
  return on_host(select_points(heat, point_options(heat, options)), Tensor());
}

std::vector<Keypoints> SuperPoint::detect(const Tensor& image, const DetectOptions& options) {
  const int64_t height = image.dim(1), width = image.dim(2);
  std::vector<View> views;
  for (double s : options_.scales) {
    const int64_t h = scaled(height, s), w = scaled(width, s);
    Tape tape(false);
    const Tensor seen = h == height && w == width ? image : resized(image, h, w);
    const Output out = forward(tape.constant(seen));
    views.push_back({superpoint_heatmap(out.logits.value()), {}});
    if (out.descriptors.defined()) views.back().descriptors = out.descriptors.value();
  }
  const Tensor heat = mean_heat(views, options_.scales, height, width);
  const SelectedPoints selected = select_points(heat, point_options(heat, options));
  Tensor descriptors;
  if (views[0].descriptors.defined())
    descriptors = descriptors_at(selected.points, views, height, width, options_.sampling);
  return on_host(selected, descriptors);
}

}  // namespace cairn
