#include "kernels/points/best_peaks.h"

#include "kernels/heatmap/detector_heatmap.h"
#include "kernels/points/open_points.h"

namespace cairn::cpu {
namespace {

// Greedy suppression keeps whatever is the largest of its window, so that may be done first, round
// by round, without sorting. Rounds pay off while many points are open: one costs about as much as
// sorting so many.
constexpr int64_t many = 8192;
constexpr int most_rounds = 4;

// All that is kept, in no order.
template <class T>
std::vector<RankedPoint<T>> suppressed(const T* heat, int64_t height, int64_t width,
                                       const PeakRule& rule) {
  OpenPoints<T> open(heat, height, width, rule.radius, T(rule.threshold));
  std::vector<RankedPoint<T>> kept, rest;
  const auto list = [&](int64_t i) { kept.push_back({heat[i], int32_t(i)}); };
  for (int round = 0; round < most_rounds && open.count() > many; ++round) open.keep_largest(list);
  open.for_each([&](int64_t i) { rest.push_back({heat[i], int32_t(i)}); });
  std::sort(rest.begin(), rest.end());
  for (const RankedPoint<T>& p : rest)
    if (open.is_open(p.place)) {
      open.close_around(p.place);
      kept.push_back(p);
    }
  return kept;
}

}  // namespace

void best_peaks(const Tensor& heat, const PeakRule& rule, BestPeaks& best) {
  const int64_t height = heat.dim(1), width = heat.dim(2), k = best.index.dim(1);
  const auto in_border = [&](int64_t i) {
    const int64_t x = i % width, y = i / width, b = rule.border;
    return x < b || x >= width - b || y < b || y >= height - b;
  };
  int32_t *index = best.index.data<int32_t>(), *count = best.count.data<int32_t>();
  with_float(heat.dtype(), [&](auto type) {
    using T = decltype(type);
    T *score = best.score.data<T>(), *point = best.point.data<T>();
    parallel_for(heat.dim(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        const T* map = heat.data<T>() + n * height * width;
        auto peaks = suppressed(map, height, width, rule);
        std::erase_if(peaks, [&](const auto& p) { return in_border(p.place); });
        const int64_t found = std::min<int64_t>(k, peaks.size());
        if (found < int64_t(peaks.size()))
          std::nth_element(peaks.begin(), peaks.begin() + found, peaks.end());
        std::sort(peaks.begin(), peaks.begin() + found);
        for (int64_t i = 0; i < k; ++i) {
          T* p = point + 2 * (n * k + i);
          index[n * k + i] = i < found ? peaks[i].place : -1;
          score[n * k + i] = i < found ? peaks[i].score : T(0);
          if (i < found)
            refine_point(map, height, width, peaks[i].place, rule.refinement, p);
          else
            p[0] = p[1] = 0;
        }
        count[n] = int32_t(found);
      }
    });
  });
}

void detector_peaks(const Tensor& logits, const PeakRule& rule, Tensor& heat, BestPeaks& best) {
  cpu::detector_heatmap(logits, heat);
  cpu::best_peaks(heat, rule, best);
}

}  // namespace cairn::cpu
