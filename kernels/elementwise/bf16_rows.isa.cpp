#include "kernels/elementwise/bf16_rows.h"

#include "kernels/simd.h"

namespace cairn::CAIRN_ISA {

// What is left over goes through a vector of its own.
void widen(const bf16* x, float* y, int64_t count) {
  constexpr int L = lanes<float>;
  int64_t i = 0;
  for (; i + L <= count; i += L) store(y + i, load(x + i));
  bf16 last[L] = {};
  for (int64_t k = i; k < count; ++k) last[k - i].bits = x[k].bits;
  const Vector<float> v = load(last);
  for (int64_t k = i; k < count; ++k) y[k] = v[k - i];
}

void narrow(const float* x, bf16* y, int64_t count) {
  constexpr int L = lanes<float>;
  int64_t i = 0;
  for (; i + L <= count; i += L) store(y + i, load(x + i));
  float last[L] = {};
  for (int64_t k = i; k < count; ++k) last[k - i] = x[k];
  bf16 rounded[L];
  store(rounded, load(last));
  for (int64_t k = i; k < count; ++k) y[k].bits = rounded[k - i].bits;
}

}  // namespace cairn::CAIRN_ISA
