#pragma once
// Sums of products on the host, in double and in eight running sums, so that they vectorise and
// have the same bits everywhere.
#include <cstdint>

namespace cairn::cpu {

template <class T>
double dot(const T* a, const T* b, int64_t count) {
  double sums[8] = {};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int lane = 0; lane < 8; ++lane) sums[lane] += double(a[i + lane]) * double(b[i + lane]);
  for (int lane = 0; i < count; ++i, ++lane) sums[lane] += double(a[i]) * double(b[i]);
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

}  // namespace cairn::cpu
