#include "training/draw_skeleton.h"

#include <algorithm>

#include "runtime/error.h"

namespace cairn {

Colour point_colour(int k, int n) { return heat_colour(n < 2 ? 1 : double(k) / (n - 1)); }

void draw_skeleton(Canvas& canvas, const Skeleton& skeleton, std::span<const LabelledPoint> points,
                   const SkeletonStyle& style) {
  const int n = skeleton.keypoints();
  if (points.size() != size_t(n))
    throw Error("draw_skeleton", text(points.size(), " points"), text(n, ", as the skeleton has"),
                "draw with the skeleton of the data set");
  const auto colour = [&](int k) { return style.colour ? *style.colour : point_colour(k, n); };
  const auto known = [&](int k) { return points[size_t(k)].v != Visibility::missing; };
  const auto at = [&](int k) { return canvas.at({points[size_t(k)].x, points[size_t(k)].y}); };
  for (const auto& [a, b] : skeleton.bones)
    if (known(a) && known(b)) {
      canvas.line(at(a), at(b), style.bone + 1.2, {0, 0, 0}, 0.4);
      canvas.line(at(a), at(b), style.bone, colour(b), 0.9);
    }
  for (int k = 0; k < n; ++k) {
    if (!known(k)) continue;
    if (points[size_t(k)].v == Visibility::hidden) {
      canvas.ring(at(k), style.radius, 1.4, colour(k));
    } else {
      canvas.disc(at(k), style.radius + 0.9, {0, 0, 0}, 0.7);
      canvas.disc(at(k), style.radius, colour(k));
    }
  }
}

Tensor draw_instances(const Tensor& image, const Skeleton& skeleton,
                      const std::vector<Instance>& instances) {
  const int64_t longer = std::max<int64_t>(1, std::max(image.dim(0), image.dim(1)));
  Canvas canvas(image, int(std::clamp<int64_t>(256 / longer, 1, 4)));
  for (const Instance& instance : instances) draw_skeleton(canvas, skeleton, instance.points);
  return canvas.image();
}

Tensor draw_found(const Tensor& image, const Skeleton& skeleton,
                  const std::vector<Keypoints>& found, double threshold) {
  const int64_t longer = std::max<int64_t>(1, std::max(image.dim(0), image.dim(1)));
  Canvas canvas(image, int(std::clamp<int64_t>(960 / longer, 1, 4)));
  const double size = 1 + double(std::max(canvas.height(), canvas.width())) / 1000;
  for (const Keypoints& keypoints : found) {
    std::vector<LabelledPoint> points;
    for (size_t k = 0; k < keypoints.points.size(); ++k) {
      const bool hidden = !keypoints.visible.empty() && !keypoints.visible[k];
      const Visibility v = !(double(keypoints.scores[k]) >= threshold) ? Visibility::missing
                           : hidden                                    ? Visibility::hidden
                                                                       : Visibility::visible;
      points.push_back({keypoints.points[k][0], keypoints.points[k][1], v});
    }
    draw_skeleton(canvas, skeleton, points, {2.2 * size, 1.4 * size, nullptr});
  }
  return canvas.image();
}

}  // namespace cairn
