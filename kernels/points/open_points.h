#pragma once
// A map of scores under suppression (cpu): which points may still be kept.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/points/running_max.h"
#include "kernels/points/scan.h"
#include "runtime/threads.h"

namespace cairn::cpu {

template <class T>
class OpenPoints {
 public:
  /// Every point above the threshold is open.
  OpenPoints(const T* heat, int64_t height, int64_t width, int64_t radius, T threshold)
      : height_(height), width_(width), radius_(radius), score_(height * width) {
    parallel_for(height * width, 1 << 15, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) score_[i] = heat[i] > threshold ? heat[i] : closed;
    });
  }

  int64_t count() const {
    int64_t open = 0;
    for (T s : score_) open += s != closed;
    return open;
  }
  bool is_open(int64_t i) const { return score_[i] != closed; }

  /// Calls f(i) for each open point, by rising index.
  template <class F>
  void for_each(F&& f) const {
    for_each_above(score_.data(), height_ * width_, closed, f);
  }

  /// Closes the window of point i.
  void close_around(int64_t i) {
    for_window(i,
               [&](int64_t first, int64_t count) { std::fill_n(&score_[first], count, closed); });
  }

  /// Calls f(i) for all points that are the largest of their windows, of equal ones the first, and
  /// closes their windows.
  template <class F>
  void keep_largest(F&& f) {
    const int64_t bands = (height_ + band_rows - 1) / band_rows;
    std::vector<std::vector<int64_t>> largest(bands);
    parallel_for(bands, 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b)
        largest[b] = largest_of_windows(b * band_rows, std::min(height_, (b + 1) * band_rows));
    });
    for (const auto& band : largest)
      for (int64_t i : band) {
        f(i);
        close_around(i);
      }
  }

 private:
  static constexpr T closed = std::numeric_limits<T>::lowest();
  static constexpr int64_t band_rows = 32;  // of one task: what it pools stays in the cache

  // The linear indices of the points in rows first..last that are the largest of their windows.
  std::vector<int64_t> largest_of_windows(int64_t first, int64_t last) const {
    const int64_t window = 2 * radius_ + 1;
    std::vector<T> pooled((last - first + 2 * radius_) * width_, closed);
    std::vector<T> row(width_ + 2 * radius_);
    const int64_t above = std::max<int64_t>(first - radius_, 0);
    const int64_t below = std::min(last + radius_, height_);
    for (int64_t y = above; y < below; ++y) {
      std::fill(row.begin(), row.end(), closed);
      std::copy_n(&score_[y * width_], width_, &row[radius_]);
      CAIRN_ISA_CALL(running_max, row.data(), width_, 1, window);
      std::copy_n(row.data(), width_, &pooled[(y - first + radius_) * width_]);
    }
    CAIRN_ISA_CALL(running_max, pooled.data(), last - first, width_, window);

    std::vector<int64_t> found;
    const T *mine = &score_[first * width_], *largest = pooled.data();
    for_each_where((last - first) * width_,
                   [=](int64_t i) { return (mine[i] == largest[i]) & (mine[i] != closed); },
                   [&](int64_t i) {
                     if (first_of_equals(first * width_ + i)) found.push_back(first * width_ + i);
                   });
    return found;
  }

  // No point of the window before i is as large.
  bool first_of_equals(int64_t i) const {
    bool first = true;
    for_window(i, [&](int64_t begin, int64_t count) {
      for (int64_t k = begin; k < std::min(begin + count, i); ++k) first &= score_[k] != score_[i];
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
  std::vector<T> score_;  // `closed` where no point may be kept any more
};

}  // namespace cairn::cpu
