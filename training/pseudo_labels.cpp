#include "training/pseudo_labels.h"

#include <algorithm>

#include "kernels/elementwise/cast.h"

namespace cairn {

std::vector<Matrix3> adaptation_views(const HomographyRange& range, int count, int64_t height,
                                      int64_t width, Random& random) {
  std::vector<Matrix3> views(1);
  while (int(views.size()) < count)
    views.push_back(random_homography(range, int(height), int(width), random));
  return views;
}

int64_t views_at_once(int64_t height, int64_t width, Device device) {
  const int64_t of_240x320 = device == Device::cuda ? 50 : 4;
  return std::clamp<int64_t>(of_240x320 * 240 * 320 / (height * width), 1, 64);
}

Keypoints pseudo_labels(SuperPoint& model, const InferencePlace& place, const Tensor& image,
                        const PseudoLabelOptions& o, uint64_t stream) {
  const int64_t H = image.dim(0), W = image.dim(1);
  Random random(0, stream);
  const std::vector<Matrix3> views = adaptation_views(o.range, o.homographies, H, W, random);
  AdaptationOptions adaptation = o.adaptation;
  adaptation.erosion_margin = o.range.erosion_margin;
  const Tensor heat = homographic_adaptation(
      [&](const Tensor& images) { return model.heatmap(as_type(images, place.precision)); },
      network_input(model, image).to(place.device), views, adaptation);
  return superpoint_points(heat.reshape({1, H, W}), o.points).at(0);
}

}  // namespace cairn
