#include "training/keypoint_augmentation.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "training/grey_image.h"
#include "training/photometric.h"

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

void hide_covered(std::vector<Instance>& instances, const std::vector<Patch>& patches) {
  for (Instance& instance : instances)
    for (LabelledPoint& p : instance.points)
      for (const Patch& patch : patches)
        if (p.v == Visibility::visible && patch.covers({p.x, p.y})) p.v = Visibility::hidden;
}

void add_noise(Tensor& image, double standard_deviation, Random& random) {
  photometric::add_noise(image, standard_deviation, random);
  float* v = image.data<float>();
  for (int64_t i = 0; i < image.count(); ++i) v[i] = std::clamp(v[i], 0.f, 255.f);
}

}  // namespace

KeypointAugmentation KeypointAugmentation::none() {
  KeypointAugmentation o;
  o.flip = o.rotation = 0;
  o.scale_low = o.scale_high = 1;
  return o;
}

KeypointSample augmented(const Tensor& image, std::span<const Instance> instances,
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
  sample.image = grey_values(crop_image(image, sample.to_crop, height, width));
  jitter_colour(sample.image, options.colour, random);
  const std::vector<Patch> patches = add_occluders(sample.image, options.occluders, random);
  if (options.occluders.hide_points) hide_covered(sample.instances, patches);
  if (options.noise > 0) add_noise(sample.image, random.uniform(0, options.noise), random);
  divide_by_255(sample.image);
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
