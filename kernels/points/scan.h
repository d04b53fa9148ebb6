#pragma once
// The walk over the few places of a map that matter (cpu).
#include <algorithm>
#include <cstdint>

namespace cairn::cpu {

/// Calls f(i) for each i in 0..count where is(i), rising. Runs of 64 without one are skipped by a
/// loop that vectorises, so is(i) should be a few comparisons and no branch.
template <class Is, class F>
void for_each_where(int64_t count, Is&& is, F&& f) {
  constexpr int64_t run = 64;
  int64_t first = 0;
  for (; first + run <= count; first += run) {
    int found = 0;
    for (int64_t i = first; i < first + run; ++i) found |= int(is(i));
    if (!found) continue;
    for (int64_t i = first; i < first + run; ++i)
      if (is(i)) f(i);
  }
  for (; first < count; ++first)
    if (is(first)) f(first);
}

/// The same where s[i] > threshold.
template <class T, class F>
void for_each_above(const T* s, int64_t count, T threshold, F&& f) {
  for_each_where(
      count, [=](int64_t i) { return s[i] > threshold; }, f);
}

/// A point as the sorting sees it: falling score, equal ones in rising order of `place`.
template <class T>
struct RankedPoint {
  T score;
  int32_t place;
  bool operator<(const RankedPoint& other) const {
    return score > other.score || (score == other.score && place < other.place);
  }
};

}  // namespace cairn::cpu
