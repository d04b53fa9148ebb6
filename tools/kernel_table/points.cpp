// Rows of what makes a list of points of a heatmap.
#include "kernels/points/compact.h"
#include "kernels/points/nms_greedy.h"
#include "kernels/points/nms_maxpool.h"
#include "kernels/points/refine.h"
#include "kernels/points/top_k.h"
#include "tools/kernel_table/maker.h"

namespace cairn {

void table_of_points(const TableMaker& m) {
  const int64_t N = m.many(1, 32), h = m.side(480), w = m.side(640), M = m.on_simt() ? 256 : 4096,
                K = m.on_simt() ? 64 : 1024;
  const Shape s{N, h, w};
  const Tensor heat = m.random(s, 0, 1);
  Tensor kept = m.empty(s), index = m.empty({N, M}, DType::i32), score = m.empty({N, M}),
         count = m.empty({N}, DType::i32), top_index = m.empty({N, K}, DType::i32),
         top_score = m.empty({N, K}), top_count = m.empty({N}, DType::i32),
         points = m.empty({N, K, 2});
  const double pixels = double(heat.count()), listed = double(N * M), best = double(N * K);
  // What the rounds of a suppression ask for follows from the scores; its least is one look at all.
  auto suppress = [=]() mutable { nms_greedy(heat, 4, 0.015, kept); };
  m.add("nms_greedy radius 4", s, {.bytes = 8 * pixels, .moved = 64 * pixels, .at_most = true},
        suppress);
  m.add("nms_maxpool radius 4", s, {.bytes = 8 * pixels, .moved = 64 * pixels, .at_most = true},
        [=]() mutable { nms_maxpool(heat, 4, 3, 0.015, kept); });
  auto list = [=]() mutable {
    suppress();
    compact(kept, 0, 4, index, score, count);
  };
  const double inside = double(N * (h - 8) * (w - 8));  // of the border
  m.add(
      "compact", s, {.bytes = 4 * inside + 8 * listed, .moved = 8 * inside + 8 * listed},
      [=]() mutable { compact(kept, 0, 4, index, score, count); }, suppress);
  auto choose = [=]() mutable { top_k(index, score, count, top_index, top_score, top_count); };
  m.add("top_k", {N, M, K}, {.bytes = 8 * (listed + best), .at_most = true}, choose, list);
  m.add(
      "refine quadratic", {N, K}, {.bytes = 48 * best, .at_most = true},
      [=]() mutable { refine(heat, top_index, Refinement::quadratic, points); },
      [=]() mutable { list(), choose(); });
}

}  // namespace cairn
