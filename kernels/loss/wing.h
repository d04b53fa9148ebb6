#pragma once
// Wing loss of the error e = x - target, masked or weighted: steep near 0, so that small errors
// still count, and linear beyond `width`:
//
//   l(e)  = w log(1 + |e| / c)  if |e| < w, else |e| - w + w log(1 + w / c)
//   l'(e) = w / (c + |e|) sign e, or sign e;  l'(0) = 0;   w = width, c = curvature
//
// Shapes, weights and divisors in pointwise_loss.h.
// Source: Feng et al., "Wing Loss for Robust Facial Landmark Localisation", CVPR 2018, equation 5.
#include <cmath>

#include "kernels/dispatch.h"
#include "kernels/loss/pointwise_loss.h"

namespace cairn {

struct WingOptions {
  double width = 10, curvature = 2;  ///< in the unit of the error: pixels of a 256 x 256 crop
};

struct Wing {
  WingOptions o;
  template <class T>
  CAIRN_HD T value(T e) const {
    const T size = e < 0 ? -e : e, w = T(o.width), c = T(o.curvature);
    return size < w ? w * std::log1p(size / c) : size - w + w * std::log1p(w / c);
  }
  template <class T>
  CAIRN_HD T slope(T e) const {
    const T size = e < 0 ? -e : e, w = T(o.width);
    const T steepness = size < w ? w / (T(o.curvature) + size) : T(1);
    return e > 0 ? steepness : e < 0 ? -steepness : T(0);
  }
};

CAIRN_ON_EACH_DEVICE(void wing(const Tensor& x, const Tensor& target, const Tensor& weight,
                               const WingOptions& options, LossMean mean, Tensor& loss,
                               Tensor& factor);
                     void wing_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                                        const WingOptions& options, const Tensor& factor,
                                        const Tensor& dloss, Tensor& dx);)

/// Writes loss and factor.
inline void wing(const Tensor& x, const Tensor& target, const Tensor& weight,
                 const WingOptions& options, LossMean mean, Tensor& loss, Tensor& factor) {
  CAIRN_DISPATCH(x.device(), wing, x, target, weight, options, mean, loss, factor);
}

/// Writes dx. With x and target exchanged it writes the gradient of the target.
inline void wing_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                          const WingOptions& options, const Tensor& factor, const Tensor& dloss,
                          Tensor& dx) {
  CAIRN_DISPATCH(x.device(), wing_backward, x, target, weight, options, factor, dloss, dx);
}

}  // namespace cairn
