#pragma once
// Between bf16 in memory and float32, in vectors.
#include <cstdint>

#include "kernels/isa.h"
#include "runtime/bf16.h"

namespace cairn {

CAIRN_ON_EACH_ISA(void widen(const bf16* x, float* y, int64_t count);
                  void narrow(const float* x, bf16* y, int64_t count);)

}  // namespace cairn
