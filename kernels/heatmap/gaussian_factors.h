#pragma once
// A Gaussian is the product of a factor of the column and one of the row: W + H exponentials for
// each channel of a map instead of W * H. Factors of one image, for the cpu kernels.
#include "kernels/heatmap/map_parts.h"
#include "kernels/vector_math.h"

namespace cairn::cpu {

template <class T>
struct GaussianFactors {
  int64_t height, width;
  int64_t channels;
  const T* centre;   ///< [K,2]
  const T* falloff;  ///< [K]: the exponent is -falloff * d2

  T aspect_x() const { return T(width) / T(height); }
  T aspect_y() const { return T(height) / T(width); }
  T dx(int64_t x, int64_t k) const { return (T(x) + T(.5)) / T(width) - centre[2 * k]; }
  T dy(int64_t y, int64_t k) const { return (T(y) + T(.5)) / T(height) - centre[2 * k + 1]; }

  /// [x1-x0,K]
  void columns(int64_t x0, int64_t x1, T* out) const {
    for (int64_t x = x0; x < x1; ++x)
      for (int64_t k = 0; k < channels; ++k) {
        const T d = dx(x, k);
        *out++ = exp_vec(-falloff[k] * aspect_x() * d * d);
      }
  }
  /// [K]
  void row(int64_t y, T* out) const {
    for (int64_t k = 0; k < channels; ++k) {
      const T d = dy(y, k);
      out[k] = exp_vec(-falloff[k] * aspect_y() * d * d);
    }
  }
};

}  // namespace cairn::cpu
