#include "kernels/isa.h"

#include <algorithm>
#include <atomic>

namespace cairn {
namespace {

Isa best() {
#if defined(__x86_64__)
  const auto has_avx512 = [] {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2");
  };
  const auto has_avx2 = [] {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c");
  };
  __builtin_cpu_init();
  if (!has_avx2()) return Isa::baseline;
  return has_avx512() ? Isa::avx512 : Isa::avx2;
#else
  return Isa::baseline;
#endif
}

std::atomic<Isa>& current() {
  static std::atomic<Isa> level{best()};
  return level;
}

}  // namespace

Isa isa() { return current().load(std::memory_order_relaxed); }

void use_isa(Isa level) { current() = std::min(level, best()); }

}  // namespace cairn
