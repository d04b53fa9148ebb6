#pragma once
// The weights of cells for kernels, from a mask (u8) or from numbers; without a tensor all are 1.
// Their counterpart on cpu is kernels/loss/cell_weights.h. Included by .cu files only.
#include "kernels/device.h"

namespace cairn::CAIRN_NS {

template <class T>
struct CellWeights {
  const uint8_t* bytes = nullptr;
  const T* floats = nullptr;
  explicit CellWeights(const Tensor* valid) {
    if (!valid) return;
    if (valid->dtype() == DType::u8)
      bytes = valid->data<uint8_t>();
    else
      floats = valid->data<T>();
  }
  CAIRN_DEVICE_MEMBER T operator[](int64_t cell) const {
    return bytes ? T(bytes[cell]) : floats ? floats[cell] : T(1);
  }
};

}  // namespace cairn::CAIRN_NS
