#pragma once
// What a factor of a product in TF32 becomes.
#include <bit>

#include "runtime/tensor.h"

namespace cairn {

/// Ten bits of mantissa, ties away from zero; of a float32 tensor, as float64.
inline Tensor tf32_rounded(const Tensor& x) {
  Tensor y = Tensor::empty(x.shape(), DType::f64);
  for (int64_t i = 0; i < x.count(); ++i) {
    const auto bits = std::bit_cast<uint32_t>(x.data<float>()[i]);
    y.data<double>()[i] = double(std::bit_cast<float>((bits + 0x1000u) & ~0x1fffu));
  }
  return y;
}

}  // namespace cairn
