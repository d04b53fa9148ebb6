// Rows of what makes a list of points of a heatmap.
#include "kernels/points/best_peaks.h"
#include "kernels/points/nms_maxpool.h"
#include "kernels/points/refine.h"
#include "tools/kernel_table/maker.h"

namespace cairn {

void table_of_points(const TableMaker& m) {
  const int64_t N = m.many(1, 32), h = m.side(480), w = m.side(640), K = m.on_simt() ? 64 : 1024;
  const Shape s{N, h, w};
  const Tensor heat = m.random(s, 0, 1);
  Tensor kept = m.empty(s), index = m.empty({N, K}, DType::i32), score = m.empty({N, K}),
         count = m.empty({N}, DType::i32), points = m.empty({N, K, 2});
  const double pixels = double(heat.count()), best = double(N * K);
  // How many peaks there are, and what is open after the tiles, follows from the scores.
  auto find = [=]() mutable { best_peaks(heat, {4, 0.015, 4}, index, score, count); };
  const double listed = double(N * most_peaks(h, w, 4));
  m.add("best_peaks radius 4", s,
        {.bytes = 4 * pixels + 8 * best,
         .moved = 8 * pixels + 24 * listed + 8 * best,
         .at_most = true},
        find);
  // What the rounds ask for follows from the scores; the least is one look at all.
  m.add("nms_maxpool radius 4", s, {.bytes = 8 * pixels, .moved = 64 * pixels, .at_most = true},
        [=]() mutable { nms_maxpool(heat, 4, 3, 0.015, kept); });
  m.add(
      "refine quadratic", {N, K}, {.bytes = 48 * best, .at_most = true},
      [=]() mutable { refine(heat, index, Refinement::quadratic, points); }, find);
}

}  // namespace cairn
