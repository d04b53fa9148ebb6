#pragma once
// e^x as plain arithmetic, so that host loops over it vectorise.
#include <bit>
#include <cmath>
#include <cstdint>

namespace cairn::cpu {

/// e^x for x <= 88, within 2 units in the last place (the polynomial of Moshier's Cephes expf);
/// 0 below -87.33, where float32 leaves its normal range; NaN stays NaN.
inline float fast_exp(float x) {
  constexpr float lowest = -87.33f,
                  to_integer = 12582912.f;  // 1.5 * 2^23: the sum's low bits are n
  const float inside = x < lowest ? lowest : x;
  const float shifted = inside * 1.44269504f + to_integer;
  const float n = shifted - to_integer;
  const float r = inside - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  const uint32_t power = (std::bit_cast<uint32_t>(shifted) + 127u) << 23;
  const float y = p * std::bit_cast<float>(power);
  return x < lowest ? 0.f : y;
}

inline double fast_exp(double x) { return std::exp(x); }

}  // namespace cairn::cpu
