#pragma once
// Sums of products on the host, in double and in eight running sums, so that they vectorise and
// have the same bits everywhere (products of floats are exact in double).
#include <cstdint>

#include "kernels/isa.h"

namespace cairn {

CAIRN_ON_EACH_ISA(double dot(const float* a, const float* b, int64_t count);)

namespace cpu {

inline double dot(const float* a, const float* b, int64_t count) {
  return CAIRN_ISA_CALL(dot, a, b, count);
}

inline double dot(const double* a, const double* b, int64_t count) {
  double sums[8] = {};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int lane = 0; lane < 8; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  for (int lane = 0; i < count; ++i, ++lane) sums[lane] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

}  // namespace cpu
}  // namespace cairn
