#include "kernels/dot.h"

#include "kernels/simd.h"

namespace cairn::CAIRN_ISA {

double dot(const float* a, const float* b, int64_t count) {
  typedef float Floats __attribute__((vector_size(32)));
  typedef float Unaligned __attribute__((vector_size(32), aligned(4), may_alias));
  typedef double Doubles __attribute__((vector_size(64)));
  const auto widen = [](const float* p, Doubles& v) {
    v = __builtin_convertvector(Floats(*reinterpret_cast<const Unaligned*>(p)), Doubles);
  };
  Doubles sums{}, x, y;
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    widen(a + i, x);
    widen(b + i, y);
    sums += x * y;
  }
  for (int lane = 0; i < count; ++i, ++lane) sums[lane] += double(a[i]) * double(b[i]);
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

}  // namespace cairn::CAIRN_ISA
