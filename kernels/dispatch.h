#pragma once
// How an op's header chooses among its three siblings. An op is declared once, for every device:
//
//   CAIRN_ON_EACH_DEVICE(void add(const Tensor& a, const Tensor& b, Tensor& y);)
//   inline void add(const Tensor& a, const Tensor& b, Tensor& y) {
//     CAIRN_DISPATCH(y.device(), add, a, b, y);
//   }
//
// The calls of devices that this build lacks are discarded at compile time, so no stubs are needed.
#include "runtime/device.h"
#include "runtime/memory.h"
#include "runtime/tensor.h"

#define CAIRN_ON_EACH_DEVICE(...) \
  namespace cpu {                 \
  __VA_ARGS__                     \
  }                               \
  namespace simt {                \
  __VA_ARGS__                     \
  }                               \
  namespace cuda {                \
  __VA_ARGS__                     \
  }

#define CAIRN_DISPATCH(device, op, ...)                              \
  do {                                                               \
    const ::cairn::OpScope cairn_op_scope(#op);                      \
    switch (device) {                                                \
      case Device::cpu:                                              \
        return cpu::op(__VA_ARGS__);                                 \
      case Device::simt:                                             \
        if constexpr (build::has_simt) return simt::op(__VA_ARGS__); \
        break;                                                       \
      case Device::cuda:                                             \
        if constexpr (build::has_cuda) return cuda::op(__VA_ARGS__); \
        break;                                                       \
    }                                                                \
    require_available(device);                                       \
  } while (false)
