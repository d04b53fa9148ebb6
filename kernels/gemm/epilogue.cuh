#pragma once
// The last step of a product or a convolution: bias, activation, and the rounding to the output's
// type.
#include "kernels/activation.h"
#include "kernels/gemm/tiled_product.h"

namespace cairn::CAIRN_NS {

CAIRN_DEVICE float activated(float z, Activation act, float slope) {
  switch (act) {
    case Activation::relu:
      return activate<Activation::relu>(z, slope);
    case Activation::leaky_relu:
      return activate<Activation::leaky_relu>(z, slope);
    case Activation::relu6:
      return activate<Activation::relu6>(z, slope);
    case Activation::sigmoid:
      return activate<Activation::sigmoid>(z, slope);
    case Activation::softplus:
      return activate<Activation::softplus>(z, slope);
    default:
      return z;
  }
}

/// The larger one; NaN if either is.
CAIRN_DEVICE float larger(float a, float b) { return b > a || b != b ? b : a; }

/// Writes columns n .. n + N - 1 of a row of C; `bias` is the group's, or null.
template <int N, class T>
CAIRN_DEVICE void write_columns(const Product& p, T* row, const T* bias, int n,
                                const float (&sums)[N]) {
  Pack<T, N> out;
#pragma unroll
  for (int e = 0; e < N; ++e) {
    const float z = bias && n + e < p.n ? sums[e] + float(bias[n + e]) : sums[e];
    out[e] = T(activated(z, p.act, p.slope));
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
CAIRN_DEVICE float* part_row(const Product& p, int split, int group, int m) {
  return static_cast<float*>(p.c) + (int64_t(split) * p.groups + group) * p.m * p.n +
         int64_t(m) * p.n;
}

}  // namespace cairn::CAIRN_NS
