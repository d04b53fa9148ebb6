#include "training/keypoint_augmentation.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"

namespace cairn {
namespace {

Box transformed(const Box& box, const Matrix3& to_crop) {
  Bounds bounds;
  for (const double x : {box.x, box.x + box.width})
    for (const double y : {box.y, box.y + box.height}) bounds.add(apply(to_crop, {x, y}));
  return bounds.box();
}

// The numbers are drawn whatever the options, so that changing one does not change the others.
CropFrame changed(CropFrame frame, int64_t height, int64_t width, const KeypointAugmentation& o,
                  Random& random) {
  const bool flip = random.uniform() < o.flip;
  const double scale = random.uniform(o.scale_low, o.scale_high);
  const double degrees = random.uniform(-o.rotation, o.rotation);
  const double right = random.uniform(-o.translation, o.translation) * double(width);
  const double down = random.uniform(-o.translation, o.translation) * double(height);
  frame.mirrored ^= flip;
  frame.scale *= scale;
  frame.rotation += degrees * (3.141592653589793 / 180);
  // What the crop's middle shows moves: the centre goes the other way, seen through the crop.
  const Matrix3 to_image = inverse(to_crop(frame, height, width));
  frame.centre = apply(to_image, {double(width - 1) / 2 - right, double(height - 1) / 2 - down});
  return frame;
}

void hide_covered(std::vector<Instance>& instances, const JitterDraw& draw) {
  for (Instance& instance : instances)
    for (LabelledPoint& p : instance.points)
      if (p.v == Visibility::visible && is_covered(draw, {p.x, p.y})) p.v = Visibility::hidden;
}

}  // namespace

KeypointAugmentation KeypointAugmentation::none() {
  KeypointAugmentation o;
  o.flip = o.rotation = 0;
  o.scale_low = o.scale_high = 1;
  return o;
}

KeypointSample augmented(int64_t channels, std::span<const Instance> instances,
                         const std::vector<int>& swap, const CropFrame& frame, int64_t height,
                         int64_t width, const KeypointAugmentation& options, Random random) {
  const CropFrame seen = changed(frame, height, width, options, random);
  KeypointSample sample;
  sample.to_crop = to_crop(seen, height, width);
  sample.mirrored = seen.mirrored;
  for (const Instance& instance : instances) {
    sample.instances.push_back(transformed(instance, sample.to_crop));
    if (seen.mirrored) exchange_sides(sample.instances.back(), swap);
  }
  draw_colours(options.colour, int(channels), random, sample.jitter);
  draw_occluders(options.occluders, height, width, int(channels), random, sample.jitter);
  if (options.occluders.hide_points) hide_covered(sample.instances, sample.jitter);
  sample.jitter.amounts.noise = float(random.uniform(0, options.noise));
  for (int32_t& word : sample.jitter.plan.key) word = int32_t(random.bits());
  return sample;
}

Instance transformed(const Instance& instance, const Matrix3& to_crop) {
  Instance result = instance;
  for (LabelledPoint& p : result.points)
    if (p.v != Visibility::missing) {
      const Point q = apply(to_crop, {p.x, p.y});
      p.x = q.x;
      p.y = q.y;
    }
  const double scale = scale_of(to_crop);
  result.area *= scale * scale;
  result.box = transformed(instance.box, to_crop);
  if (instance.head) result.head = transformed(*instance.head, to_crop);
  return result;
}

void exchange_sides(Instance& instance, const std::vector<int>& swap) {
  const std::vector<LabelledPoint> before = instance.points;
  if (swap.size() != before.size())
    throw Error("exchange_sides",
                text("instance ", instance.id, " has ", before.size(),
                     " points, the table of left "
                     "and right ",
                     swap.size()),
                "a partner for every point", "list them with the skeleton, or train without flips");
  for (size_t k = 0; k < before.size(); ++k) instance.points[size_t(swap[k])] = before[k];
}

void drop_points_outside(std::vector<Instance>& instances, int64_t height, int64_t width) {
  for (Instance& instance : instances)
    for (LabelledPoint& p : instance.points)
      if (!(p.x >= -0.5 && p.x < double(width) - 0.5 && p.y >= -0.5 && p.y < double(height) - 0.5))
        p.v = Visibility::missing;
}

std::vector<ScoredPoint> in_image(std::span<const ScoredPoint> points, const Matrix3& to_crop) {
  const Matrix3 back = inverse(to_crop);
  std::vector<ScoredPoint> result;
  for (const ScoredPoint& p : points) {
    const Point q = apply(back, {p.x, p.y});
    result.push_back({q.x, q.y, p.score});
  }
  return result;
}

}  // namespace cairn
