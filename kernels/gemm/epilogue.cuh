#pragma once
// What the kernels of a product share: which tile of C a block sums, and its last step: bias,
// activation, pool, and the rounding to the output's type.
//
// A tile's sums lie in the registers of its block (FfmaSums, MmaSums). A thread has `Rows` rows of
// `Runs` runs of `Run` neighbouring columns: run(i, j) is at row(i), column(j) of the tile. Each of
// its `Columns` columns is shared by `Down` threads, of which this one is number down().
#include "kernels/activation.h"
#include "kernels/gemm/tiled_product.h"

namespace cairn::CAIRN_NS {

/// The larger one; NaN if either is.
template <class T>
CAIRN_DEVICE T larger(T a, T b) {
  return b > a || b != b ? b : a;
}

/// The first row and column of a block's tile, and its part of k.
struct TilePlace {
  int tile_m, m, n, group, split, k, k_end;
};

template <class Tile>
CAIRN_DEVICE TilePlace tile_place(const Product& p) {
  const int tiles_n = (p.n + Tile::N - 1) / Tile::N;
  TilePlace at;
  at.tile_m = int(blockIdx.x) / tiles_n;
  at.m = at.tile_m * Tile::M;
  at.n = int(blockIdx.x) % tiles_n * Tile::N;
  at.group = int(blockIdx.y);
  at.split = int(blockIdx.z);
  at.k = at.split * p.k_per_split;
  at.k_end = p.k - at.k < p.k_per_split ? p.k : at.k + p.k_per_split;
  return at;
}

/// Columns n .. n + N - 1 of a row as long as C's.
template <int N, class T>
CAIRN_DEVICE void store_columns(const Product& p, T* row, int n, const Pack<T, N>& out) {
  if (p.c_aligned) {
    if (n < p.n) store_pack(row + n, out);
  } else {
#pragma unroll
    for (int e = 0; e < N; ++e)
      if (n + e < p.n) row[n + e] = out[e];
  }
}

/// v = act(v) for the N numbers that at(i) refers to; act is none or a rectifier. The kind is
/// looked at once. Looked at for each of them, and with exponentials among the kinds, it made a
/// tile of bf16 20,000 instructions instead of 5,600: more than the instruction caches hold.
template <Activation act, int N, class T, class At>
CAIRN_DEVICE void activate_each(T slope, const At& at) {
#pragma unroll
  for (int i = 0; i < N; ++i) at(i) = activate<act>(at(i), slope);
}
template <int N, class T, class At>
CAIRN_DEVICE void activate_each(Activation act, T slope, const At& at) {
  if (act == Activation::relu) return activate_each<Activation::relu, N>(slope, at);
  if (act == Activation::relu6) return activate_each<Activation::relu6, N>(slope, at);
  if (act == Activation::leaky_relu) return activate_each<Activation::leaky_relu, N>(slope, at);
}

/// sums = act(sums + bias).
template <class T, class Sums>
CAIRN_DEVICE void add_bias_and_activate(const Product& p, const TilePlace& at, Sums& sums) {
  using A = typename Sums::Number;
  if (p.bias) {
    const T* bias = static_cast<const T*>(p.bias) + int64_t(at.group) * p.n;
#pragma unroll
    for (int j = 0; j < Sums::Runs; ++j)
#pragma unroll
      for (int e = 0; e < Sums::Run; ++e) {
        const int n = at.n + sums.column(j) + e;
        const A shift = n < p.n ? A(bias[n]) : A(0);
#pragma unroll
        for (int i = 0; i < Sums::Rows; ++i) sums.run(i, j)[e] += shift;
      }
  }
  constexpr int of_row = Sums::Runs * Sums::Run;
  activate_each<Sums::Rows * of_row>(p.act, A(p.slope), [&](int i) -> A& {
    return sums.run(i / of_row, i % of_row / Sums::Run)[i % Sums::Run];
  });
}

/// Writes columns n .. n + N - 1 of row m of C, or of the part's copy.
template <int N, class T>
CAIRN_DEVICE void write_columns(const Product& p, const TilePlace& at, int m, int n,
                                const Sum<T>* sums) {
  if (p.splits > 1) {
    Sum<T>* row = static_cast<Sum<T>*>(p.c) +
                  (int64_t(at.split) * p.groups + at.group) * p.m * p.n + int64_t(m) * p.n;
#pragma unroll
    for (int e = 0; e < N; ++e)
      if (n + e < p.n) row[n + e] = sums[e];
    return;
  }
  Pack<T, N> out;
#pragma unroll
  for (int e = 0; e < N; ++e) out[e] = T(sums[e]);
  store_columns<N>(p, static_cast<T*>(p.c) + at.group * p.c_group + p.c_offset(m), n, out);
}

/// C = act(sums + bias), of rows m .. m + 3 the largest if they are pooled: every activation is
/// monotonic, so the maximum may come first. Parts are written as they are summed.
template <class T, class Sums>
CAIRN_DEVICE void finish(const Product& p, const TilePlace& at, Sums& sums) {
  if (p.pool2) sums.pool();
  if (p.splits == 1) add_bias_and_activate<T>(p, at, sums);
#pragma unroll
  for (int i = 0; i < Sums::Rows; ++i) {
    const int m = at.m + sums.row(i);
    if (m >= p.m || (p.pool2 && m % 4)) continue;
#pragma unroll
    for (int j = 0; j < Sums::Runs; ++j)
      write_columns<Sums::Run, T>(p, at, p.pool2 ? m / 4 : m, at.n + sums.column(j),
                                  sums.run(i, j));
  }
}

}  // namespace cairn::CAIRN_NS
