#include "training/keypoint_dataset.h"

namespace cairn {

int64_t Instance::labelled_points() const {
  return std::count_if(points.begin(), points.end(),
                       [](const LabelledPoint& p) { return p.labelled(); });
}

Bounds bounds(const Instance& instance) {
  Bounds b;
  for (const LabelledPoint& p : instance.points)
    if (p.labelled()) b.add(p);
  return b;
}

Instance only(Instance instance, Visibility v) {
  for (LabelledPoint& p : instance.points)
    if (p.v != v) p.v = Visibility::missing;
  return instance;
}

void complete(Instance& instance) {
  if (!(instance.box.width * instance.box.height > 0) && instance.labelled_points() > 0) {
    const Box inner = bounds(instance).box();  // through pixel centres
    instance.box = {inner.x - 0.5, inner.y - 0.5, inner.width + 1, inner.height + 1};
  }
  if (!(instance.area > 0)) instance.area = 0.53 * instance.box.width * instance.box.height;
}

}  // namespace cairn
