// disk_targets: disks about annotated points, and in every cell of one the way to its point.
//
//   Launch    one pass that writes, 256 threads, see over_pixels.h; each element asks the instances
//             of its point in order (they stay in the first-level cache).
//   Traffic   16 B an element: a disk, a weight and two offsets, of which the offsets are one store
//             of 8 B; bandwidth-bound for few instances; floor = 16 B * count / bandwidth.
//   Repeats   bitwise: every element has one writer.
#include "kernels/heatmap/disk_targets.h"

#include "kernels/heatmap/over_pixels.h"
#include "kernels/heatmap/point_instances.h"

namespace cairn::CAIRN_NS {
namespace {

struct Disks : PointInstances {
  float radius;
  float *disks, *weights, *offsets;

  CAIRN_DEVICE_MEMBER void operator()(int64_t first, int column, int row, int64_t at) const {
    const DiskTarget<float> t =
        disk_target(points + 2 * first, visible + first, channels, int64_t(instances) * channels,
                    radius, float(column), float(row));
    disks[at] = t.disk;
    weights[at] = t.weight;
    store_pack<2>(offsets + 2 * at, {t.dx, t.dy});
  }
};

}  // namespace

void disk_targets(const Tensor& points, const Tensor& visible, double radius, Tensor& disks,
                  Tensor& weights, Tensor& offsets) {
  const PixelGrid grid(disks.shape());
  each_pixel(
      "disk_targets", grid,
      Disks{{points.data<float>(), visible.data<uint8_t>(), int(points.dim(1)), grid.channels},
            float(radius),
            disks.data<float>(),
            weights.data<float>(),
            offsets.data<float>()});
}

}  // namespace cairn::CAIRN_NS
