#pragma once
// separation: how close points are to each other, a loss that drives landmarks apart.
//
//   points  [N,K,2]: (x, y) in unit half-pixel coordinates; f32 or f64
//   aspect  width / height of the frame: distances are those in a frame of area 1,
//           d2 = aspect (x_k - x_m)^2 + (y_k - y_m)^2 / aspect
//   loss    [1] = (1/N) sum_n sum_{k != m} e_km,  e_km = exp(-d2 / (2 sigma^2));  0 for N = 0
//
// Each pair counts in both orders. Gradient:
//   dx_k = -dloss 2 aspect / (N sigma^2) sum_{m != k} e_km (x_k - x_m),  dy_k with 1 / aspect.
// It is 0 at coincident points, a saddle.
// Source: the separation constraint of Zhang et al., "Unsupervised Discovery of Object Landmarks as
// Structural Representations", CVPR 2018.
#include <cmath>

#include "kernels/dispatch.h"

namespace cairn {

/// e_km of (dx, dy) = p_k - p_m is exp(-(x dx^2 + y dy^2)), with a slope of -2 (x dx, y dy) e_km.
template <class T>
struct SeparationFalloff {
  T x, y;

  SeparationFalloff(double sigma, double aspect)
      : x(T(aspect / (2 * sigma * sigma))), y(T(1 / (2 * sigma * sigma * aspect))) {}
  CAIRN_HD T value(const T* p, const T* q) const {
    const T dx = p[0] - q[0], dy = p[1] - q[1];
    return std::exp(-(x * dx * dx + y * dy * dy));
  }
  /// The gradient of point k of K, times scale.
  CAIRN_HD void gradient(const T* points, int64_t K, int64_t k, T scale, T* out) const {
    const T* own = points + 2 * k;
    T sum_x = 0, sum_y = 0;
    for (int64_t m = 0; m < K; ++m) {
      const T* other = points + 2 * m;
      const T e = value(own, other);  // m = k adds nothing
      sum_x += e * (own[0] - other[0]);
      sum_y += e * (own[1] - other[1]);
    }
    out[0] = -4 * scale * x * sum_x;
    out[1] = -4 * scale * y * sum_y;
  }
};

CAIRN_ON_EACH_DEVICE(void separation(const Tensor& points, double sigma, double aspect,
                                     Tensor& loss);
                     void separation_backward(const Tensor& points, double sigma, double aspect,
                                              const Tensor& dloss, Tensor& dpoints);)

inline void separation(const Tensor& points, double sigma, double aspect, Tensor& loss) {
  CAIRN_DISPATCH(points.device(), separation, points, sigma, aspect, loss);
}

inline void separation_backward(const Tensor& points, double sigma, double aspect,
                                const Tensor& dloss, Tensor& dpoints) {
  CAIRN_DISPATCH(points.device(), separation_backward, points, sigma, aspect, dloss, dpoints);
}

}  // namespace cairn
