#include "kernels/points/nms_greedy.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/points/scan.h"
#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

template <class T>
void nms_image(const T* heat, int64_t height, int64_t width, int64_t radius, T threshold, T* y) {
  std::vector<RankedPoint<T>> candidates;
  for_each_above(heat, height * width, threshold, [&](int64_t i) {
    candidates.push_back({heat[i], int32_t(i)});
  });
  std::sort(candidates.begin(), candidates.end());
  std::vector<uint8_t> deleted(height * width);
  for (const RankedPoint<T>& p : candidates) {
    if (deleted[p.place]) continue;
    y[p.place] = p.score;
    const int64_t row = p.place / width, column = p.place % width;
    const int64_t left = std::max<int64_t>(column - radius, 0);
    const int64_t right = std::min(column + radius, width - 1);
    for (int64_t r = std::max<int64_t>(row - radius, 0); r <= std::min(row + radius, height - 1);
         ++r)
      std::memset(&deleted[r * width + left], 1, right - left + 1);
  }
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
