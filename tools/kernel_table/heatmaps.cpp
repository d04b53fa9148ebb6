// Rows of the ops between maps and points.
#include "kernels/heatmap/depth_to_space.h"
#include "kernels/heatmap/detector_heatmap.h"
#include "kernels/heatmap/disk_targets.h"
#include "kernels/heatmap/gaussian.h"
#include "kernels/heatmap/gaussian_targets.h"
#include "kernels/heatmap/soft_argmax.h"
#include "kernels/heatmap/spatial_moments.h"
#include "kernels/heatmap/spatial_softmax.h"
#include "tools/kernel_table/maker.h"

namespace cairn {
namespace {

// Sixteen joints.
void of_points(const TableMaker& m) {
  const int64_t N = m.many(16, 256), K = 16;
  const Shape s{N, m.side(64), m.side(64), K}, points{N, K, 2}, maps{N, K};
  const Tensor z = m.random(s, -3, 3), h = m.random(s, 0, 1), dpoint = m.random(points),
               centre = m.random(points, 0.2, 0.8), sigma = m.random(maps, 0.05, 0.1),
               amplitude = m.random(maps, 1, 1);
  Tensor y = m.empty(s), point = m.empty(points), variance = m.empty(points),
         stats = m.empty(points), zeta = m.empty(maps), dsigma = m.empty(maps),
         damplitude = m.empty(maps);
  const double count = double(z.count());
  m.add("spatial_softmax", s, {8 * count, 4 * count, 12 * count},
        [=]() mutable { spatial_softmax(z, 1, y); });
  m.add("spatial_softmax backward", s, {12 * count, 4 * count, 20 * count},
        [=]() mutable { spatial_softmax_backward(h, z, 1, y); });
  auto mean = [=]() mutable { soft_argmax(z, 1, point, variance, stats); };
  m.add("soft_argmax", s, {4 * count, 10 * count}, mean);
  m.add(
      "soft_argmax backward", s, {8 * count, 10 * count},
      [=]() mutable { soft_argmax_backward(z, point, variance, stats, dpoint, dpoint, 1, y); },
      mean);
  auto moments = [=]() mutable { spatial_moments(h, point, variance, zeta); };
  m.add("spatial_moments", s, {4 * count, 10 * count}, moments);
  m.add(
      "spatial_moments backward", s, {4 * count, 10 * count},
      [=]() mutable { spatial_moments_backward(point, variance, zeta, dpoint, dpoint, y); },
      moments);
  m.add("gaussian", s, {4 * count, 6 * count},
        [=]() mutable { gaussian(centre, sigma, amplitude, GaussianForm::plain, y); });
  m.add("gaussian backward", s, {4 * count, 12 * count}, [=]() mutable {
    gaussian_backward(centre, sigma, amplitude, GaussianForm::plain, z, point, dsigma, damplitude);
  });
  const Tensor cells = m.random({N, 1, K, 2}, 0, double(s[1])),
               visible = m.random({N, 1, K}, 1, 1, DType::u8);
  m.add("gaussian_targets", s, {4 * count, 6 * count},
        [=]() mutable { gaussian_targets(cells, visible, {}, y); });
  Tensor disks = m.empty(s), weights = m.empty(s), offsets = m.empty({N, s[1], s[2], 2 * K});
  m.add("disk_targets", s, {16 * count, 5 * count},
        [=]() mutable { disk_targets(cells, visible, 3, disks, weights, offsets); });
}

// SuperPoint's detector.
void of_cells(const TableMaker& m) {
  const int64_t N = m.many(1, 32), h = m.side(480) / 8, w = m.side(640) / 8, cells = N * h * w;
  const Shape deep{N, h, w, 64}, wide{N, 8 * h, 8 * w, 1}, s{N, h, w, 65};
  const Tensor logits = m.random(s, -4, 4), d = m.random(deep), x = m.random(wide);
  Tensor heat = m.empty({N, 8 * h, 8 * w}), out = m.empty(wide), in = m.empty(deep);
  m.add("detector_heatmap", s, {516 * double(cells), 300 * double(cells)},
        [=]() mutable { detector_heatmap(logits, heat); });
  m.add("depth_to_space 8", deep, {512 * double(cells)},
        [=]() mutable { depth_to_space(d, 8, out); });
  m.add("depth_to_space back", deep, {512 * double(cells)},
        [=]() mutable { space_to_depth(x, 8, in); });
}

}  // namespace

void table_of_heatmaps(const TableMaker& m) {
  of_points(m);
  of_cells(m);
}

}  // namespace cairn
