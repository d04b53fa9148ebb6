#pragma once
// The register tile of multiply_block and of Winograd's products; for *.isa.cpp files alone.
//
// A tile of C, R rows by two vectors, stays in registers while k runs: each step loads two vectors
// of B and broadcasts R numbers of A, 2R fused multiply-adds for R + 2 loads. R = 12 fills 32
// registers (24 sums, 2 of B, 1 of A), R = 6 fills 16.
#include "kernels/simd.h"

namespace cairn::CAIRN_ISA {
namespace {

constexpr int max_rows = many_registers ? 12 : 6;

/// sums[R][V] += A [R,K] B [K, V vectors]. A's rows lie a_row apart (its columns 1), or, if
/// k_major, its columns a_column apart (its rows 1).
template <class T, int R, int V, bool k_major>
inline __attribute__((always_inline)) void multiply_tile(const T* a, int64_t a_stride, const T* b,
                                                         int64_t b_row, int64_t K,
                                                         Vector<T> (&sums)[R][V]) {
  for (int64_t k = 0; k < K; ++k) {
    Vector<T> bk[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) bk[v] = load(b + v * lanes<T>);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vector<T> ark = broadcast(k_major ? a[r] : a[r * a_stride]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) sums[r][v] += ark * bk[v];
    }
    a += k_major ? a_stride : 1;
    b += b_row;
  }
}

/// Calls f with R as a compile-time constant, 1..max_rows.
template <class F>
inline void with_rows(int rows, F&& f) {
  const auto call = [&]<int R>(auto&& self, std::integral_constant<int, R>) {
    if constexpr (R <= max_rows) {
      if (rows == R) return f(std::integral_constant<int, R>{});
      self(self, std::integral_constant<int, R + 1>{});
    }
  };
  call(call, std::integral_constant<int, 1>{});
}

}  // namespace
}  // namespace cairn::CAIRN_ISA
