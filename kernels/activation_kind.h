#pragma once
// The pointwise activations that follow a convolution or a normalisation, one by one or fused.
#include <cstdint>
#include <type_traits>

namespace cairn {

enum class Activation : uint8_t {
  none,        ///< z
  relu,        ///< max(z, 0)
  leaky_relu,  ///< z > 0 ? z : slope z, with slope >= 0
  relu6,       ///< min(max(z, 0), 6)
  sigmoid,     ///< 1 / (1 + exp(-z))
  softplus,    ///< log(1 + exp(z)), computed as max(z, 0) + log1p(exp(-|z|))
};

constexpr const char* name(Activation act) {
  constexpr const char* names[] = {"none", "relu", "leaky_relu", "relu6", "sigmoid", "softplus"};
  return names[int(act)];
}

/// Calls f with std::integral_constant<Activation, act> for those that follow a normalisation.
template <class F>
void with_rectifier(Activation act, F&& f) {
  if (act == Activation::relu) return f(std::integral_constant<Activation, Activation::relu>());
  if (act == Activation::relu6) return f(std::integral_constant<Activation, Activation::relu6>());
  if (act == Activation::leaky_relu)
    return f(std::integral_constant<Activation, Activation::leaky_relu>());
  f(std::integral_constant<Activation, Activation::none>());
}

}  // namespace cairn
