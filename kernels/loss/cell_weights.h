#pragma once
// The weights of cells on cpu, from a mask (u8) or from numbers; without a tensor all are 1. Their
// counterpart for kernels is kernels/loss/cell_weights_device.h.
#include <vector>

#include "runtime/tensor.h"

namespace cairn::cpu {

template <class T>
std::vector<T> cell_weights(const Tensor* valid, int64_t cells) {
  if (!valid) return std::vector<T>(cells, T(1));
  if (valid->dtype() != DType::u8) return valid->values<T>();
  const uint8_t* p = valid->data<uint8_t>();
  return std::vector<T>(p, p + cells);
}

}  // namespace cairn::cpu
