#pragma once
// The activations with an exponential. They run as a second pass over outputs that are still in
// cache; the others are a comparison or two in the vector code.
#include <algorithm>
#include <cmath>

#include "kernels/activation_kind.h"

namespace cairn {

inline bool is_curved(Activation act) {
  return act == Activation::sigmoid || act == Activation::softplus;
}

template <class T>
T curved(T z, Activation act) {
  if (act == Activation::sigmoid) return 1 / (1 + std::exp(-z));
  return std::max(z, T(0)) + std::log1p(std::exp(-std::abs(z)));
}

}  // namespace cairn
