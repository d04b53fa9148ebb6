#pragma once
// What the losses of single elements share: a loss l(x, target), mostly of the error x - target,
// weighted and averaged.
//
//   loss = factor * sum of w * l(x, target)
//   dx   = dloss * factor * w * dl/dx(x, target)      and, l being symmetric, the target's gradient
//                                                     is that with both exchanged
//
//   x, target   [N, ..., C], equal shapes; f32 or f64
//   weight      undefined: w = 1; of the shape of x: per element (a mask is a weight of 0 and 1);
//               [N, C]: per sample and channel (missing joints)
//   factor      [1], written by the forward: 1 / count, or 1 / (sum of w over all elements); 0
//   where
//               that sum is 0, so that a batch without labels has loss 0 and gradient 0
//   loss        [1]
//
// Summed in parts of fixed size and then over the parts: the same bits on every run.
#include <cstdint>

#include "runtime/host_device.h"
#include "runtime/tensor.h"

namespace cairn {

/// What the weighted sum is divided by.
enum class LossMean : uint8_t {
  elements,  ///< the number of elements, whatever their weights
  weights,   ///< the sum of the weights: the mean over what a mask leaves
};

struct SquaredError {
  template <class T>
  CAIRN_HD T value(T e) const {
    return e * e;
  }
  template <class T>
  CAIRN_HD T slope(T e) const {
    return 2 * e;
  }
};

struct SmoothL1 {
  double beta;
  template <class T>
  CAIRN_HD T value(T e) const {
    const T size = e < 0 ? -e : e, b = T(beta);
    return size < b ? e * e / (2 * b) : size - b / 2;
  }
  template <class T>
  CAIRN_HD T slope(T e) const {
    const T b = T(beta);
    if (e >= b) return T(e > 0);
    return e <= -b ? T(-1) : e / b;
  }
};

/// A loss of the error as one of both arguments, which is what the loops take.
template <class Loss>
struct OfError {
  Loss l;
  template <class T>
  CAIRN_HD T value(T x, T target) const {
    return l.value(x - target);
  }
  template <class T>
  CAIRN_HD T slope(T x, T target) const {
    return l.slope(x - target);
  }
};

}  // namespace cairn
