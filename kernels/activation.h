#pragma once
// The pointwise activations and their derivatives, for host code and kernels alike. The kind is a
// template argument, so that a loop over elements holds no choice.
//
// Derivatives are functions of y = act(z), so that a backward needs to keep y alone. At a kink they
// take the value from the left (PyTorch's choice). NaN passes through every activation.
#include <cmath>
#include <type_traits>

#include "kernels/activation_kind.h"
#include "runtime/host_device.h"

namespace cairn {

/// y = act(z).
template <Activation act, class T>
CAIRN_HD inline T activate(T z, T slope) {
  if constexpr (act == Activation::relu) return z < 0 ? T(0) : z;
  if constexpr (act == Activation::leaky_relu) return z < 0 ? slope * z : z;
  if constexpr (act == Activation::relu6) return z < 0 ? T(0) : z > 6 ? T(6) : z;
  if constexpr (act == Activation::sigmoid) return 1 / (1 + std::exp(-z));
  if constexpr (act == Activation::softplus)
    return (z < 0 ? T(0) : z) + std::log1p(std::exp(z < 0 ? z : -z));
  return z;
}

/// The same where the kind is known at run time only.
template <class T>
CAIRN_HD inline T activate(Activation act, T z, T slope) {
  switch (act) {
    case Activation::none:
      return z;
    case Activation::relu:
      return activate<Activation::relu>(z, slope);
    case Activation::leaky_relu:
      return activate<Activation::leaky_relu>(z, slope);
    case Activation::relu6:
      return activate<Activation::relu6>(z, slope);
    case Activation::sigmoid:
      return activate<Activation::sigmoid>(z, slope);
    case Activation::softplus:
      return activate<Activation::softplus>(z, slope);
  }
  return z;
}

/// Has an exponential in it; the others are a comparison or two.
inline bool is_curved(Activation act) {
  return act == Activation::sigmoid || act == Activation::softplus;
}

/// dy/dz at y = act(z).
template <Activation act, class T>
CAIRN_HD inline T activation_derivative(T y, T slope) {
  if constexpr (act == Activation::relu) return y > 0 ? T(1) : T(0);
  if constexpr (act == Activation::leaky_relu) return y > 0 ? T(1) : slope;
  if constexpr (act == Activation::relu6) return y > 0 && y < 6 ? T(1) : T(0);
  if constexpr (act == Activation::sigmoid) return y * (1 - y);
  if constexpr (act == Activation::softplus) return -std::expm1(-y);
  return 1;
}

/// Calls f with std::integral_constant<Activation, act>.
template <class F>
void with_activation(Activation act, F&& f) {
  switch (act) {
    case Activation::none:
      return f(std::integral_constant<Activation, Activation::none>());
    case Activation::relu:
      return f(std::integral_constant<Activation, Activation::relu>());
    case Activation::leaky_relu:
      return f(std::integral_constant<Activation, Activation::leaky_relu>());
    case Activation::relu6:
      return f(std::integral_constant<Activation, Activation::relu6>());
    case Activation::sigmoid:
      return f(std::integral_constant<Activation, Activation::sigmoid>());
    case Activation::softplus:
      return f(std::integral_constant<Activation, Activation::softplus>());
  }
}

}  // namespace cairn
