#pragma once
// Sums over the rows of an [R,C] array, per column, on cpu: bias gradients, batch statistics. Their
// counterpart for kernels is kernels/column_sums.cuh.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "runtime/threads.h"

namespace cairn::cpu {

constexpr int64_t column_tile = 64;  ///< columns added up together: they stay in registers or L1
constexpr int64_t row_tile = 16;     ///< rows added up in T before the sum moves to double

/// Rows that one thread takes at a time: about 128 KiB of floats, so that a second pass over them
/// finds them in the L2 cache. Depends on C alone, so sums do not depend on the thread count.
inline int64_t rows_per_part(int64_t C) {
  return std::max<int64_t>(row_tile, 32768 / std::max<int64_t>(C, 1) / row_tile * row_tile);
}

/// sums[k C + c] = the sum of K terms over the rows begin..end. add_row(r, c, n, acc) adds row r's
/// terms of the columns c..c+n to acc[k][0..n).
template <int K, class T, class AddRow>
void sum_rows(int64_t begin, int64_t end, int64_t C, double* sums, const AddRow& add_row) {
  std::fill(sums, sums + K * C, 0.0);
  for (int64_t r0 = begin; r0 < end; r0 += row_tile) {
    const int64_t r1 = std::min(r0 + row_tile, end);
    for (int64_t c = 0; c < C; c += column_tile) {
      const int64_t n = std::min(column_tile, C - c);
      T acc[K][column_tile] = {};
      for (int64_t r = r0; r < r1; ++r) add_row(r, c, n, acc);
      for (int k = 0; k < K; ++k)
        for (int64_t i = 0; i < n; ++i) sums[k * C + c + i] += acc[k][i];
    }
  }
}

/// The same over all rows, in parallel: [K,C].
template <int K, class T, class AddRow>
std::vector<double> column_sums(int64_t rows, int64_t C, const AddRow& add_row) {
  const int64_t per = rows_per_part(C), parts = (rows + per - 1) / per;
  std::vector<double> partial(parts * K * C), sums(K * C);
  parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p)
      sum_rows<K, T>(p * per, std::min(rows, (p + 1) * per), C, &partial[p * K * C], add_row);
  });
  for (int64_t p = 0; p < parts; ++p)
    for (int64_t i = 0; i < K * C; ++i) sums[i] += partial[p * K * C + i];
  return sums;
}

}  // namespace cairn::cpu
