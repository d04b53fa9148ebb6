#pragma once
// The last step of a product or a convolution: bias, activation, and the rounding to the output's
// type.
#include "kernels/activation.h"
#include "kernels/gemm/tiled_product.h"

namespace cairn::CAIRN_NS {

/// The larger one; NaN if either is.
template <class T>
CAIRN_DEVICE T larger(T a, T b) {
  return b > a || b != b ? b : a;
}

/// Writes columns n .. n + N - 1 of a row of C; `bias` is the group's, or null.
template <int N, class T>
CAIRN_DEVICE void write_columns(const Product& p, T* row, const T* bias, int n,
                                const Sum<T> (&sums)[N]) {
  Pack<T, N> out;
#pragma unroll
  for (int e = 0; e < N; ++e) {
    const Sum<T> z = bias && n + e < p.n ? sums[e] + Sum<T>(bias[n + e]) : sums[e];
    out[e] = T(activate(p.act, z, Sum<T>(p.slope)));
  }
  if (p.c_aligned) {
    if (n < p.n) store_pack(row + n, out);
  } else {
#pragma unroll
    for (int e = 0; e < N; ++e)
      if (n + e < p.n) row[n + e] = out[e];
  }
}

/// Row m of the part's copy of C in the workspace of a product that is split.
template <class T>
CAIRN_DEVICE T* part_row(const Product& p, int split, int group, int m) {
  return static_cast<T*>(p.c) + (int64_t(split) * p.groups + group) * p.m * p.n + int64_t(m) * p.n;
}

}  // namespace cairn::CAIRN_NS
