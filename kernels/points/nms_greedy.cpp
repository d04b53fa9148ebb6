#include "kernels/points/nms_greedy.h"

#include "kernels/points/open_points.h"

namespace cairn::cpu {
namespace {

// Greedy suppression keeps whatever is the largest of its window, so that may be done first, round
// by round, without sorting. Rounds pay off while many points are open: one costs about as much as
// sorting so many.
constexpr int64_t many = 8192;
constexpr int most_rounds = 4;

template <class T>
void nms_image(const T* heat, int64_t height, int64_t width, int64_t radius, T threshold, T* y) {
  OpenPoints<T> open(heat, height, width, radius, threshold);
  for (int round = 0; round < most_rounds && open.count() > many; ++round) open.keep_largest(y);
  std::vector<RankedPoint<T>> candidates;
  open.for_each([&](int64_t i) { candidates.push_back({heat[i], int32_t(i)}); });
  std::sort(candidates.begin(), candidates.end());
  for (const RankedPoint<T>& p : candidates)
    if (open.is_open(p.place)) open.keep(p.place, y);
}

}  // namespace

void nms_greedy(const Tensor& heat, int radius, double threshold, Tensor& y) {
  const int64_t height = heat.dim(1), width = heat.dim(2), size = height * width;
  y.zero();
  with_float(heat.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* s = heat.data<T>();
    T* out = y.data<T>();
    parallel_for(heat.dim(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n)
        nms_image(s + n * size, height, width, radius, T(threshold), out + n * size);
    });
  });
}

}  // namespace cairn::cpu
