#include "kernels/points/nms_maxpool.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/points/scan.h"
#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

constexpr int64_t band_rows = 32;  // of one task: what it pools stays in the cache

template <class T>
constexpr T nothing = std::numeric_limits<T>::lowest();

// m[i] becomes the maximum of m[i], m[i + step] ... m[i + (window - 1) step], for i in
// 0..count * step, by doubling: log2(window) passes that vectorise.
template <class T>
void running_max(T* m, int64_t count, int64_t step, int64_t window) {
  const auto join = [=](int64_t n, int64_t distance) {
    const T* from = m + distance * step;
#pragma GCC ivdep
    for (int64_t i = 0; i < n * step; ++i) m[i] = from[i] > m[i] ? from[i] : m[i];
  };
  int64_t covered = 1;
  for (; 2 * covered <= window; covered *= 2) join(count + window - 2 * covered, covered);
  if (covered < window) join(count, window - covered);
}

template <class T>
class MaxPoolNms {
 public:
  MaxPoolNms(const T* heat, int64_t height, int64_t width, int64_t radius, T threshold)
      : height_(height), width_(width), radius_(radius), alive_(height * width, nothing<T>) {
    for_each_above(heat, height * width, threshold, [&](int64_t i) { alive_[i] = heat[i]; });
  }

  // One round: writes the kept points to y and takes their windows out.
  void round(T* y) {
    const int64_t bands = (height_ + band_rows - 1) / band_rows;
    std::vector<std::vector<int64_t>> kept(bands);
    parallel_for(bands, 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b)
        kept[b] = largest_of_windows(b * band_rows, std::min(height_, (b + 1) * band_rows));
    });
    for (const auto& band : kept)
      for (int64_t i : band) {
        y[i] = alive_[i];
        for_window(i, [&](int64_t first, int64_t count) {
          std::fill_n(&alive_[first], count, nothing<T>);
        });
      }
  }

 private:
  // The linear indices of the points in rows first..last that are the largest of their windows.
  std::vector<int64_t> largest_of_windows(int64_t first, int64_t last) const {
    const int64_t window = 2 * radius_ + 1;
    std::vector<T> pooled((last - first + 2 * radius_) * width_, nothing<T>);
    std::vector<T> row(width_ + 2 * radius_);
    const int64_t above = std::max<int64_t>(first - radius_, 0);
    const int64_t below = std::min(last + radius_, height_);
    for (int64_t y = above; y < below; ++y) {
      std::fill(row.begin(), row.end(), nothing<T>);
      std::copy_n(&alive_[y * width_], width_, &row[radius_]);
      running_max(row.data(), width_, 1, window);
      std::copy_n(row.data(), width_, &pooled[(y - first + radius_) * width_]);
    }
    running_max(pooled.data(), last - first, width_, window);

    std::vector<int64_t> found;
    const T *mine = &alive_[first * width_], *largest = pooled.data();
    for_each_where((last - first) * width_,
                   [=](int64_t i) { return (mine[i] == largest[i]) & (mine[i] != nothing<T>); },
                   [&](int64_t i) {
                     if (first_of_equals(first * width_ + i)) found.push_back(first * width_ + i);
                   });
    return found;
  }

  // No point of the window before i is as large.
  bool first_of_equals(int64_t i) const {
    bool first = true;
    for_window(i, [&](int64_t begin, int64_t count) {
      for (int64_t k = begin; k < std::min(begin + count, i); ++k) first &= alive_[k] != alive_[i];
    });
    return first;
  }

  // Calls f(index of its first point, count) for each row of the window around i.
  template <class F>
  void for_window(int64_t i, F&& f) const {
    const int64_t y = i / width_, x = i % width_;
    const int64_t left = std::max<int64_t>(x - radius_, 0);
    const int64_t count = std::min(x + radius_ + 1, width_) - left;
    for (int64_t r = std::max<int64_t>(y - radius_, 0); r < std::min(y + radius_ + 1, height_); ++r)
      f(r * width_ + left, count);
  }

  int64_t height_, width_, radius_;
  std::vector<T> alive_;  // the score where a point may still be kept
};

}  // namespace

void nms_maxpool(const Tensor& heat, int radius, int rounds, double threshold, Tensor& y) {
  const int64_t height = heat.dim(1), width = heat.dim(2), size = height * width;
  y.zero();
  if (size == 0) return;
  with_float(heat.dtype(), [&](auto type) {
    using T = decltype(type);
    for (int64_t n = 0; n < heat.dim(0); ++n) {
      MaxPoolNms<T> nms(heat.data<T>() + n * size, height, width, radius, T(threshold));
      for (int r = 0; r < rounds; ++r) nms.round(y.data<T>() + n * size);
    }
  });
}

}  // namespace cairn::cpu
