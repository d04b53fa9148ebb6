#pragma once
// The activations without an exponential, on vectors; for *.isa.cpp files alone.
#include "kernels/activation_kind.h"
#include "kernels/simd.h"

namespace cairn::CAIRN_ISA {
namespace {

template <class V, class T>
inline V activated(V z, Activation act, T slope) {
  const V zero{};
  switch (act) {
    case Activation::relu:
      return z > zero ? z : zero;
    case Activation::leaky_relu:
      return z > zero ? z : slope * z;
    case Activation::relu6: {
      const V six = broadcast(T(6)), low = z > zero ? z : zero;
      return low < six ? low : six;
    }
    default:
      return z;
  }
}

}  // namespace
}  // namespace cairn::CAIRN_ISA
