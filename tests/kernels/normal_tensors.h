#pragma once
// Random inputs for tests of single kernels, and how far an output is from its float64 twin.
#include <cmath>

#include "runtime/random.h"
#include "runtime/tensor.h"

namespace cairn {

inline Tensor normal(const Shape& shape, uint64_t seed, double scale = 1) {
  Tensor t = Tensor::empty(shape);
  Random random(seed);
  for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(scale * random.normal());
  return t;
}

/// The largest error, relative to the largest magnitude of `want`; infinity if `got` has a NaN or
/// an infinity.
inline double relative_error(const Tensor& got, const Tensor& want) {
  const auto g = got.to(DType::f64).values<double>(), w = want.to(DType::f64).values<double>();
  double worst = 0, largest = 1e-30;
  for (size_t i = 0; i < w.size(); ++i) {
    if (!std::isfinite(g[i])) return INFINITY;
    worst = std::max(worst, std::abs(g[i] - w[i]));
    largest = std::max(largest, std::abs(w[i]));
  }
  return worst / largest;
}

}  // namespace cairn
