#pragma once
// The maximum over windows along one axis, the inner loop of suppression on the cpu.
#include <cstdint>

#include "kernels/isa.h"

namespace cairn {

CAIRN_ON_EACH_ISA(
    /// m[i] becomes the maximum of m[i], m[i + step] ... m[i + (window - 1) step], for i in
    /// 0..count * step. T is float or double.
    template <class T> void running_max(T* m, int64_t count, int64_t step, int64_t window);)

}  // namespace cairn
