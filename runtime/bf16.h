#pragma once
// bfloat16: the upper half of a float32. One type for host and device code.
#include <cstdint>
#include <cstring>

#include "runtime/host_device.h"

namespace cairn {

struct bf16 {
  uint16_t bits;

  bf16() = default;
  /// Rounds to nearest, ties to even; NaN stays NaN.
  CAIRN_HD explicit bf16(float value) {
#ifdef __CUDA_ARCH__
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));  // one instruction instead of six
#else
    uint32_t u;
    memcpy(&u, &value, 4);
    if ((u & 0x7fffffffu) > 0x7f800000u)
      bits = uint16_t((u >> 16) | 0x40u);
    else
      bits = uint16_t((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
#endif
  }
  CAIRN_HD explicit operator float() const {
    const uint32_t u = uint32_t(bits) << 16;
    float value;
    memcpy(&value, &u, 4);
    return value;
  }
};

}  // namespace cairn
