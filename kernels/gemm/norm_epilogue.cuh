#pragma once
// The last step of a residual block's products (NormSteps), while C is in registers: the skip and
// batch statistics of what is written, or the gradient of the norm before.
//
//   Columns   a thread sums the rows that it has; the `Down` threads of a column are merged in
//             their order through shared memory, where the operands were; a block writes one part
//   Repeats   bitwise: every sum has one order
#include "kernels/gemm/epilogue.cuh"
#include "kernels/norm/batch_norm_parts.h"

namespace cairn::CAIRN_NS {

/// What a product does besides.
enum class Fused {
  nothing,
  end,     ///< the last step below
  norm_a,  ///< and a's elements go through the norm `in`
  norm_b   ///< b's elements do, and the last step is the usual one: the gradient of weights
};

/// Shared memory of a product: the operands, and after the last of them the columns.
template <class Operands, class Sums>
union ProductMemory {
  Operands operands;
  Moments<typename Sums::Number> moments[Sums::Down][Sums::Columns];
  typename Sums::Number sums[2][Sums::Down][Sums::Columns];
};

/// Columns n .. n + N - 1 of row m of a tensor like C.
template <int N, class T>
CAIRN_DEVICE Pack<T, N> load_columns(const Product& p, const void* tensor, int m, int n) {
  const T* row = static_cast<const T*>(tensor) + m * p.c_row + n;
  if (p.c_aligned) return load_pack<N>(row);
  Pack<T, N> in{};
#pragma unroll
  for (int e = 0; e < N; ++e)
    if (n + e < p.n) in[e] = row[e];
  return in;
}

/// C = act(sums + bias + add); and the moments of the thread's columns if they are wanted.
template <class T, class Sums, class Memory>
CAIRN_DEVICE void finish_forward(const Product& p, const TilePlace& at, const Sums& sums,
                                 Memory& s) {
  using A = typename Sums::Number;
  constexpr int N = Sums::Run;
  const A* bias = static_cast<const A*>(p.bias);
#pragma unroll
  for (int j = 0; j < Sums::Runs; ++j) {
    const int column = sums.column(j), n = at.n + column;
    A pivot[N] = {}, sum[N] = {}, squares[N] = {};
    int rows = 0;
#pragma unroll
    for (int i = 0; i < Sums::Rows; ++i) {
      const int m = at.m + sums.row(i);
      if (m >= p.m || n >= p.n) continue;
      Pack<T, N> more{}, out;
      if (p.steps.add) more = load_columns<N, T>(p, p.steps.add, m, n);
#pragma unroll
      for (int e = 0; e < N; ++e) {
        A z = sums.run(i, j)[e] + A(more[e]);
        if (bias && n + e < p.n) z += bias[n + e];
        out[e] = T(p.act == Activation::relu ? activate<Activation::relu>(z, A(0)) : z);
        if (rows == 0) pivot[e] = A(out[e]);
        const A d = A(out[e]) - pivot[e];
        sum[e] += d;
        squares[e] += d * d;
      }
      ++rows;
      store_columns<N>(p, static_cast<T*>(p.c) + m * p.c_row, n, out);
    }
    if (!p.steps.moments) continue;
#pragma unroll
    for (int e = 0; e < N; ++e) {
      const A off = rows ? sum[e] / A(rows) : A(0);
      s.moments[sums.down()][column + e] = {A(rows), pivot[e] + off,
                                            std::fmax(squares[e] - sum[e] * off, A(0))};
    }
  }
}

/// C = sums where the norm of x is positive, else 0; and the sums of its columns.
template <class T, class Sums, class Memory>
CAIRN_DEVICE void finish_through(const Product& p, const TilePlace& at, const Sums& sums,
                                 Memory& s) {
  using A = typename Sums::Number;
  constexpr int N = Sums::Run;
#pragma unroll
  for (int j = 0; j < Sums::Runs; ++j) {
    const int column = sums.column(j), n = at.n + column;
    A mean[N] = {}, scale[N] = {}, beta[N] = {}, sum[N] = {}, products[N] = {};
#pragma unroll
    for (int e = 0; e < N; ++e)
      if (n + e < p.n) {
        mean[e] = static_cast<const A*>(p.steps.through.mean)[n + e];
        scale[e] = static_cast<const A*>(p.steps.through.scale)[n + e];
        beta[e] = static_cast<const A*>(p.steps.through.beta)[n + e];
      }
#pragma unroll
    for (int i = 0; i < Sums::Rows; ++i) {
      const int m = at.m + sums.row(i);
      if (m >= p.m || n >= p.n) continue;
      const Pack<T, N> x = load_columns<N, T>(p, p.steps.x, m, n);
      Pack<T, N> out;
#pragma unroll
      for (int e = 0; e < N; ++e) {
        const A d = A(x[e]) - mean[e];
        out[e] = T(d * scale[e] + beta[e] > 0 ? sums.run(i, j)[e] : A(0));
        sum[e] += A(out[e]);
        products[e] += A(out[e]) * d;
      }
      store_columns<N>(p, static_cast<T*>(p.c) + m * p.c_row, n, out);
    }
#pragma unroll
    for (int e = 0; e < N; ++e) {
      s.sums[0][sums.down()][column + e] = sum[e];
      s.sums[1][sums.down()][column + e] = products[e];
    }
  }
}

/// The block's part of the moments or of the sums, a thread for each column.
template <class Sums, class Memory>
CAIRN_DEVICE void write_part(const Product& p, const TilePlace& at, const Memory& s) {
  using A = typename Sums::Number;
  const int c = int(threadIdx.x);
  if (c >= Sums::Columns || at.n + c >= p.n) return;
  if (p.steps.moments) {
    Moments<A> all{};
    for (int r = 0; r < Sums::Down; ++r) all = merged(all, s.moments[r][c]);
    static_cast<Moments<A>*>(p.steps.moments)[int64_t(at.tile_m) * p.n + at.n + c] = all;
  } else {
    for (int k = 0; k < 2; ++k) {
      A sum = 0;
      for (int r = 0; r < Sums::Down; ++r) sum += s.sums[k][r][c];
      static_cast<A*>(p.steps.sums)[(int64_t(at.tile_m) * 2 + k) * p.n + at.n + c] = sum;
    }
  }
}

/// The last step of a product, once all threads of the block have their sums.
template <Fused fused, class T, class Sums, class Memory>
CAIRN_DEVICE void finish(const Product& p, const TilePlace& at, Sums& sums, Memory& s) {
  if constexpr (fused == Fused::nothing || fused == Fused::norm_b) {
    finish<T>(p, at, sums);
  } else {
    const bool counts = p.steps.moments || p.steps.sums;
    if (counts) sync_threads();  // the operands are read
    if (p.steps.x)
      finish_through<T>(p, at, sums, s);
    else
      finish_forward<T>(p, at, sums, s);
    if (!counts) return;
    sync_threads();
    write_part<Sums>(p, at, s);
  }
}

}  // namespace cairn::CAIRN_NS
