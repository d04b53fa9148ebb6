// gaussian_targets: heatmaps drawn from annotated points, the largest or the mean of the instances.
//
//   Launch    one pass that writes, 256 threads, see over_pixels.h; each element asks every
//             instance of its point (they stay in the first-level cache).
//   Traffic   4 B an element, and one exponential for each visible instance: bandwidth-bound for
//             few instances; floor = 4 B * count / bandwidth.
//   Repeats   bitwise: every element has one writer.
#include "kernels/heatmap/gaussian_targets.h"

#include "kernels/heatmap/over_pixels.h"
#include "kernels/heatmap/point_instances.h"

namespace cairn::CAIRN_NS {
namespace {

struct Targets : PointInstances {
  TargetCentre centre;
  bool mean;
  float falloff, half_width, hidden;
  float* y;

  CAIRN_DEVICE_MEMBER void operator()(int64_t first, int column, int row, int64_t at) const {
    float best = 0, sum = 0;
    int covering = 0;
    for (int m = 0; m < instances; ++m) {
      const int64_t i = first + int64_t(m) * channels;
      if (!visible[i]) continue;
      const float dx = float(column) - target_centre(centre, points[2 * i]);
      const float dy = float(row) - target_centre(centre, points[2 * i + 1]);
      if (!(fabsf(dx) <= half_width && fabsf(dy) <= half_width)) continue;
      const float value = (visible[i] == 1 ? hidden : 1.f) * expf(-falloff * (dx * dx + dy * dy));
      if (fabsf(value) > fabsf(best)) best = value;
      sum += value;
      ++covering;
    }
    y[at] = !mean ? best : covering == 0 ? 0 : sum / float(covering);
  }
};

}  // namespace

void gaussian_targets(const Tensor& points, const Tensor& visible, const TargetOptions& options,
                      Tensor& y) {
  const PixelGrid grid(y.shape());
  each_pixel(
      "gaussian_targets", grid,
      Targets{{points.data<float>(), visible.data<uint8_t>(), int(points.dim(1)), grid.channels},
              options.centre,
              options.overlap == TargetOverlap::mean,
              float(0.5 / (options.sigma * options.sigma)),
              float(options.half_width),
              float(options.hidden),
              y.data<float>()});
}

}  // namespace cairn::CAIRN_NS
