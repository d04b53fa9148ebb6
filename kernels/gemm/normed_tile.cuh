#pragma once
// The float32 and float64 product with the steps of a residual block (NormSteps): a rectified norm
// on one operand's way into shared memory; the skip, batch statistics, or the gradient of the norm
// before, while C is in registers.
//
//   Memory    as ffma_tile.cuh; the norm is applied to the registers between global and shared
//             memory, a step after they were asked for: its three numbers per channel come from L1
//   Ends      a thread has 8 (4) rows of 8 (4) columns; columns are merged over the block's 16 (8)
//             rows of threads through shared memory, in their order, and a block writes one part
//   Registers 167 for the large tile, 37 KiB shared, three blocks per multiprocessor; the wide one,
//             8 of k at a time, 150 to 168; no spills (sm_80 to sm_120)
#include "kernels/gemm/ffma_tile.cuh"
#include "kernels/norm/batch_norm_parts.h"

namespace cairn::CAIRN_NS {

enum class Normed { neither, a, b };

template <class A, class Tile>
struct EndScratch {
  static constexpr int down = Tile::Threads / Tile::ThreadsN;
  union {  // one or the other
    Moments<A> moments[down][Tile::N];
    A sums[2][down][Tile::N];
  };
};

/// The column within the tile of element j of this thread, and its row.
template <class Tile>
CAIRN_DEVICE int tile_column(int tx, int j) {
  return Tile::template place<Tile::N, Tile::ThreadN>(tx, j);
}
template <class Tile>
CAIRN_DEVICE int tile_row(int ty, int i) {
  return Tile::template place<Tile::M, Tile::ThreadM>(ty, i);
}

/// Writes four columns from n of row m of C.
template <class T>
CAIRN_DEVICE void write_run(const Product& p, int m, int n, const Pack<T, 4>& run) {
  T* row = static_cast<T*>(p.c) + m * p.c_row;
  if (p.c_aligned) return store_pack(row + n, run);
#pragma unroll
  for (int e = 0; e < 4; ++e)
    if (n + e < p.n) row[n + e] = run[e];
}

/// C = sums + bias + add; and the moments of the thread's columns if they are wanted.
template <class T, class Tile>
CAIRN_DEVICE void finish_forward(const Product& p, int m0, int n0, int ty, int tx,
                                 T (&acc)[Tile::ThreadM][Tile::ThreadN], EndScratch<T, Tile>& s) {
  const T *bias = static_cast<const T*>(p.bias), *add = static_cast<const T*>(p.steps.add);
#pragma unroll
  for (int j = 0; j < Tile::ThreadN; j += 4) {
    const int column = tile_column<Tile>(tx, j), n = n0 + column;
    T pivot[4] = {}, sum[4] = {}, squares[4] = {};
    int rows = 0;
#pragma unroll
    for (int i = 0; i < Tile::ThreadM; ++i) {
      const int m = m0 + tile_row<Tile>(ty, i);
      if (m >= p.m || n >= p.n) continue;
      Pack<T, 4> run;
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const bool inside = n + e < p.n;
        T z = acc[i][j + e];
        if (bias && inside) z += bias[n + e];
        if (add && inside) z += add[m * p.c_row + n + e];
        run[e] = p.act == Activation::relu ? activate<Activation::relu>(z, T(0)) : z;
        if (rows == 0) pivot[e] = z;
        const T d = z - pivot[e];
        sum[e] += d;
        squares[e] += d * d;
      }
      ++rows;
      write_run(p, m, n, run);
    }
    if (!p.steps.moments) continue;
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const T off = rows ? sum[e] / T(rows) : T(0);
      s.moments[ty][column + e] = {T(rows), pivot[e] + off,
                                   std::fmax(squares[e] - sum[e] * off, T(0))};
    }
  }
}

/// C = sums where the norm of x is positive, else 0; and the sums of its columns.
template <class T, class Tile>
CAIRN_DEVICE void finish_through(const Product& p, int m0, int n0, int ty, int tx,
                                 T (&acc)[Tile::ThreadM][Tile::ThreadN], EndScratch<T, Tile>& s) {
  const T* x = static_cast<const T*>(p.steps.x);
#pragma unroll
  for (int j = 0; j < Tile::ThreadN; j += 4) {
    const int column = tile_column<Tile>(tx, j), n = n0 + column;
    T mean[4] = {}, scale[4] = {}, beta[4] = {}, sum[4] = {}, products[4] = {};
#pragma unroll
    for (int e = 0; e < 4; ++e)
      if (n + e < p.n) {
        mean[e] = static_cast<const T*>(p.steps.through.mean)[n + e];
        scale[e] = static_cast<const T*>(p.steps.through.scale)[n + e];
        beta[e] = static_cast<const T*>(p.steps.through.beta)[n + e];
      }
#pragma unroll
    for (int i = 0; i < Tile::ThreadM; ++i) {
      const int m = m0 + tile_row<Tile>(ty, i);
      if (m >= p.m || n >= p.n) continue;
      Pack<T, 4> run;
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const T d = n + e < p.n ? x[m * p.c_row + n + e] - mean[e] : T(0);
        run[e] = d * scale[e] + beta[e] > 0 ? acc[i][j + e] : T(0);
        sum[e] += run[e];
        products[e] += run[e] * d;
      }
      write_run(p, m, n, run);
    }
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      s.sums[0][ty][column + e] = sum[e];
      s.sums[1][ty][column + e] = products[e];
    }
  }
}

/// The block's part of the moments or of the sums, a thread for each column.
template <class T, class Tile>
CAIRN_DEVICE void write_part(const Product& p, int tile_m, int n0, const EndScratch<T, Tile>& s) {
  const int c = int(threadIdx.x);
  if (c >= Tile::N || n0 + c >= p.n) return;
  if (p.steps.moments) {
    Moments<T> all{};
    for (int r = 0; r < s.down; ++r) all = merged(all, s.moments[r][c]);
    static_cast<Moments<T>*>(p.steps.moments)[int64_t(tile_m) * p.n + n0 + c] = all;
  } else {
    for (int k = 0; k < 2; ++k) {
      T sum = 0;
      for (int r = 0; r < s.down; ++r) sum += s.sums[k][r][c];
      static_cast<T*>(p.steps.sums)[(int64_t(tile_m) * 2 + k) * p.n + n0 + c] = sum;
    }
  }
}

template <class T, class Tile, bool AByColumns, bool BByColumns, Normed normed>
CAIRN_KERNEL void CAIRN_BOUNDS(Tile::Threads, Tile::resident(sizeof(T))) normed_product(Product p) {
  auto& s = shared<typename Tile::template Shared<T>>();
  const int tiles_n = (p.n + Tile::N - 1) / Tile::N;
  const int tile_m = int(blockIdx.x) / tiles_n;
  const int m0 = tile_m * Tile::M, n0 = int(blockIdx.x) % tiles_n * Tile::N;
  const int split = int(blockIdx.z), k_begin = split * p.k_per_split;
  const int k_end = p.k - k_begin < p.k_per_split ? p.k : k_begin + p.k_per_split;
  const int ty = int(threadIdx.x) / Tile::ThreadsN, tx = int(threadIdx.x) % Tile::ThreadsN;

  FfmaOperand<T, Tile::M, Tile::K, Tile::Threads, AByColumns, normed == Normed::a> a(
      p.a, 0, m0, p.m, p.steps.in);
  FfmaOperand<T, Tile::N, Tile::K, Tile::Threads, BByColumns, normed == Normed::b> b(
      p.b, 0, n0, p.n, p.steps.in);
  T acc[Tile::ThreadM][Tile::ThreadN] = {};
  ffma_sum<Tile>(a, b, k_begin, k_end, s, ty, tx, acc);

  if constexpr (normed == Normed::b) {  // the gradient of weights: nothing at its end
    ffma_finish<T, Tile>(p, split, 0, m0, n0, ty, tx, acc);
  } else {
    auto& ends = shared<EndScratch<T, Tile>>();
    if (p.steps.x)
      finish_through<T, Tile>(p, m0, n0, ty, tx, acc, ends);
    else
      finish_forward<T, Tile>(p, m0, n0, ty, tx, acc, ends);
    if (!p.steps.moments && !p.steps.sums) return;
    sync_threads();
    write_part<T, Tile>(p, tile_m, n0, ends);
  }
}

}  // namespace cairn::CAIRN_NS
