#pragma once
// How an op's header chooses among its three siblings. An op is declared once, for every device:
//
//   CAIRN_ON_EACH_DEVICE(void add(const Tensor& a, const Tensor& b, Tensor& y);)
//   inline void add(const Tensor& a, const Tensor& b, Tensor& y) {
//     CAIRN_DISPATCH(y.device(), add, a, b, y);
//   }
//
// The calls of devices that this build lacks are discarded at compile time, so no stubs are needed.
#include <string>
#include <type_traits>

#include "runtime/device.h"
#include "runtime/memory.h"
#include "runtime/tensor.h"

namespace cairn {

/// The tensors among an op's arguments, for a profile: "f32[8,120,160,1] f32[64,3,3,1]".
template <class... Arguments>
std::string tensors_of(const Arguments&... arguments) {
  const auto tensor = [](const auto& argument) -> const Tensor* {
    if constexpr (std::is_same_v<decltype(argument), const Tensor&>)
      return &argument;
    else if constexpr (std::is_convertible_v<decltype(argument), const Tensor*>)
      return argument;
    else
      return nullptr;
  };
  return types_and_shapes({tensor(arguments)...});
}

}  // namespace cairn

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

#define CAIRN_DISPATCH(device, op, ...)                                         \
  do {                                                                          \
    const ::cairn::OpScope cairn_op_scope(#op, device);                         \
    if (cairn_op_scope.range().recorded())                                      \
      cairn_op_scope.range().note("tensors", ::cairn::tensors_of(__VA_ARGS__)); \
    switch (device) {                                                           \
      case Device::cpu:                                                         \
        return cpu::op(__VA_ARGS__);                                            \
      case Device::simt:                                                        \
        if constexpr (build::has_simt) return simt::op(__VA_ARGS__);            \
        break;                                                                  \
      case Device::cuda:                                                        \
        if constexpr (build::has_cuda) return cuda::op(__VA_ARGS__);            \
        break;                                                                  \
    }                                                                           \
    require_available(device);                                                  \
  } while (false)
