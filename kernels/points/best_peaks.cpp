#include "kernels/points/best_peaks.h"

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

void best_peaks(const Tensor& heat, const PeakRule& rule, Tensor& index, Tensor& score,
                Tensor& count) {
  const int64_t height = heat.dim(1), width = heat.dim(2), k = index.dim(1);
  const auto in_border = [&](int64_t i) {
    const int64_t x = i % width, y = i / width, b = rule.border;
    return x < b || x >= width - b || y < b || y >= height - b;
  };
  int32_t *pi = index.data<int32_t>(), *pc = count.data<int32_t>();
  with_float(heat.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* s = heat.data<T>();
    T* ps = score.data<T>();
    parallel_for(heat.dim(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        auto peaks = suppressed(s + n * height * width, height, width, rule);
        std::erase_if(peaks, [&](const auto& p) { return in_border(p.place); });
        const int64_t best = std::min<int64_t>(k, peaks.size());
        if (best < int64_t(peaks.size()))
          std::nth_element(peaks.begin(), peaks.begin() + best, peaks.end());
        std::sort(peaks.begin(), peaks.begin() + best);
        for (int64_t i = 0; i < k; ++i) {
          pi[n * k + i] = i < best ? peaks[i].place : -1;
          ps[n * k + i] = i < best ? peaks[i].score : T(0);
        }
        pc[n] = int32_t(best);
      }
    });
  });
}

}  // namespace cairn::cpu
