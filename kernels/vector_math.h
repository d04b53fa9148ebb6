#pragma once
// Elementary functions that the compiler can vectorise: branch-free, from plain arithmetic and bit
// operations, so that a loop over them becomes SIMD code of whatever width it is compiled for.
#include <bit>
#include <cmath>
#include <cstdint>

namespace cairn {

/// e^x with an error below 1.5 units in the last place (measured; tests/kernels/vector_math_test),
/// subnormal results included; 0 below about -104, infinity above about 88.7, NaN for NaN.
///
/// x = n log 2 + r with |r| <= log 2 / 2: log 2 in two parts, the first of few bits so that n times
/// it is exact (Cody and Waite, 1980); e^r by the polynomial of Cephes' expf (Moshier, 1992); 2^n
/// by its exponent bits, in two factors so that results at both ends of the range come out right.
[[gnu::always_inline]] inline float exp_vec(float x) {
  constexpr float round_shift = 12582912.f;  // 1.5 * 2^23: adding it leaves the nearest integer
  x = x < -105.f ? -105.f : x;
  x = x > 89.f ? 89.f : x;
  const float shifted = x * 1.44269504088896341f + round_shift, n = shifted - round_shift;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = (p * r) * r + r + 1.f;
  const int32_t power = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(round_shift);
  const int32_t half = power >> 1;
  const float first = std::bit_cast<float>((half + 127) << 23);
  const float second = std::bit_cast<float>((power - half + 127) << 23);
  return p * first * second;
}

/// log x with an error below 1.5 units in the last place (measured, as above) from 2^-126 on, the
/// smallest normal number; log 2^-126 below that, negative x included; infinity and NaN stay.
///
/// x = 2^n m with sqrt(1/2) <= m < sqrt 2; log m by the polynomial of Cephes' logf in m - 1; log 2
/// in two parts, as above.
[[gnu::always_inline]] inline float log_vec(float x) {
  constexpr int32_t root_half = 0x3f3504f3;  // the bits of sqrt(1/2)
  const float normal = x < 0x1p-126f ? 0x1p-126f : x;
  const int32_t bits = std::bit_cast<int32_t>(normal), power = (bits - root_half) >> 23;
  const float f = std::bit_cast<float>(bits - (power << 23)) - 1.f, z = f * f, n = float(power);
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  p = p * f * z - n * 2.12194440e-4f - 0.5f * z;
  const float y = f + p + n * 0.693359375f;
  return x < __builtin_inff() ? y : x;
}

/// For templates over both types; float64 is the reference and need not be fast.
[[gnu::always_inline]] inline double exp_vec(double x) { return std::exp(x); }
[[gnu::always_inline]] inline double log_vec(double x) {
  return std::log(x < 0x1p-1022 ? 0x1p-1022 : x);
}

}  // namespace cairn
