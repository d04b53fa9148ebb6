// Rows of what makes a list of points of a heatmap, and classes of points.
#include "kernels/points/best_peaks.h"
#include "kernels/points/detector_labels.h"
#include "kernels/points/nms_maxpool.h"
#include "tools/kernel_table/maker.h"

namespace cairn {

void table_of_points(const TableMaker& m) {
  const int64_t N = m.many(1, 32), h = m.side(480), w = m.side(640), K = m.on_simt() ? 64 : 1024;
  const Shape s{N, h, w};
  const Tensor heat = m.random(s, 0, 1);
  Tensor kept = m.empty(s);
  const double pixels = double(heat.count()), listed = double(N * most_peaks(h, w, 4)),
               best = double(N * K);
  // How many peaks there are, and what is open after the tiles, follows from the scores.
  BestPeaks peaks = empty_best_peaks(heat, K);
  const PeakRule rule{4, 0.015, 4, Refinement::quadratic};
  m.add("best_peaks radius 4", s,
        {.bytes = 4 * pixels + 16 * best,
         .moved = 8 * pixels + 24 * listed + 52 * best,
         .at_most = true},
        [=]() mutable { best_peaks(heat, rule, peaks); });
  const Tensor logits = m.random({N, h / 8, w / 8, 65}, -4, 4);
  const double values = double(logits.count());
  Tensor of_logits = m.empty({N, h / 8 * 8, w / 8 * 8});
  m.add("best_peaks of logits", logits.shape(),
        {.bytes = 4 * values + 16 * best,
         .flops = 300 / 65.0 * values,
         .moved = 4 * values + 8 * pixels + 24 * listed + 52 * best,
         .at_most = true},
        [=]() mutable { detector_peaks(logits, rule, of_logits, peaks); });
  // What the rounds ask for follows from the scores; the least is one look at all.
  m.add("nms_maxpool radius 4", s, {.bytes = 8 * pixels, .moved = 64 * pixels, .at_most = true},
        [=]() mutable { nms_maxpool(heat, 4, 3, 0.015, kept); });

  const int64_t images = m.many(8, 64), rows = m.side(120) / 8, columns = m.side(160) / 8;
  const Tensor points = m.random({images, 210, 2}, -8, double(8 * columns)),
               keys = m.values<int32_t>({images, 2}, std::vector<int32_t>(size_t(2 * images), 7));
  Tensor labels = m.empty({images, rows, columns}, DType::i32);
  const double cells = double(labels.count());
  m.add("detector_labels", labels.shape(),
        {double(points.bytes() + keys.bytes()) + 4 * cells, 6 * 210 * cells},
        [=]() mutable { detector_labels(points, keys, labels); });
}

}  // namespace cairn
