#pragma once
// The activations without an exponential, on vectors; for *.isa.cpp files alone. NaN passes
// through.
#include "kernels/activation_kind.h"
#include "kernels/simd.h"

namespace cairn::CAIRN_ISA {
namespace {

template <class V, class T>
inline V activated(V z, Activation act, T slope) {
  const V zero{};
  switch (act) {
    case Activation::relu:
      return z < zero ? zero : z;
    case Activation::leaky_relu:
      return z < zero ? slope * z : z;
    case Activation::relu6: {
      const V six = broadcast(T(6)), low = z < zero ? zero : z;
      return low > six ? six : low;
    }
    default:
      return z;
  }
}

}  // namespace
}  // namespace cairn::CAIRN_ISA
