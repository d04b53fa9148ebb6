#pragma once
// Maps of scores for the rows about points, and non-maximum suppression written out.
#include <algorithm>
#include <vector>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {

/// Few different values: most windows hold equal ones.
inline Tensor map_with_ties(const Shape& shape, uint64_t seed) { return whole(shape, seed, -2, 3); }

/// Rises along the rows: each point deletes the next, a chain through the whole image.
inline Tensor ramp_map(const Shape& shape) {
  Tensor t = zeros64(shape);
  for (int64_t i = 0; i < t.count(); ++i) t.data<double>()[i] = double(i % shape[2] + 1);
  return t;
}

/// Whether p comes before q: a larger score, or an equal one at a lower index.
inline bool stronger(const double* s, int64_t p, int64_t q) {
  return s[p] > s[q] || (s[p] == s[q] && p < q);
}

/// Calls f(q) for the pixels of the window around p, p included.
template <class F>
void for_pixels_around(int64_t p, int64_t height, int64_t width, int64_t radius, F&& f) {
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      if (std::abs(y - p / width) <= radius && std::abs(x - p % width) <= radius) f(y * width + x);
}

}  // namespace cairn::conformance
