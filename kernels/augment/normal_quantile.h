#pragma once
// Normal deviates from 12 random bits, for host and device.
#include <array>
#include <cmath>

#include "runtime/host_device.h"

namespace cairn {

inline constexpr int normal_parts = 4096;

/// The quantile of the normal distribution at the middle of part i of 4096, |z| <= 3.7 (Giles,
/// "Approximating the erfinv function", GPU Computing Gems, 2011; relative error 4e-7).
template <class T>
CAIRN_HD inline T normal_quantile(int i) {
  const T x = (T(2 * i) + 1 - T(normal_parts)) / T(normal_parts), w = -std::log((1 - x) * (1 + x));
  const bool central = w < 5;
  const T u = central ? w - T(2.5) : std::sqrt(w) - 3;
  const double near[] = {2.81022636e-08,  3.43273939e-07, -3.5233877e-06,
                         -4.39150654e-06, 0.00021858087,  -0.00125372503,
                         -0.00417768164,  0.246640727,    1.50140941};
  const double far[] = {-0.000200214257, 0.000100950558, 0.00134934322,
                        -0.00367342844,  0.00573950773,  -0.0076224613,
                        0.00943887047,   1.00167406,     2.83297682};
  T p = 0;
  for (int k = 0; k < 9; ++k) p = p * u + T(central ? near[k] : far[k]);
  return T(1.4142135623730951) * p * x;
}

/// All of them, for the host.
template <class T>
const std::array<T, normal_parts>& normal_quantiles() {
  static const std::array<T, normal_parts> table = [] {
    std::array<T, normal_parts> z;
    for (int i = 0; i < normal_parts; ++i) z[size_t(i)] = T(normal_quantile<double>(i));
    return z;
  }();
  return table;
}

}  // namespace cairn
