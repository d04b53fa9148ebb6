#include "kernels/gemm/block.h"

#include <type_traits>

#include "kernels/gemm/activated.h"
#include "kernels/gemm/register_tile.h"

namespace cairn::CAIRN_ISA {
namespace {

// f(r, v) for every vector of a tile, unrolled so that the sums stay in registers.
template <int R, int V, class F>
inline __attribute__((always_inline)) void each(F&& f) {
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) f(r, v);
}

// Rows m..m+R of one panel that begins at column n and has V vectors, the last of which may be cut.
template <class T, int R, int V, bool k_major>
void tile(const Block<T>& k, int64_t m, int64_t n, const T* panel) {
  Vector<T> sums[R][V] = {};
  multiply_tile<T, R, V, k_major>(k.a + m * k.a_row, k_major ? k.a_column : k.a_row, panel, k.b_row,
                                  k.K, sums);
  T* const c = k.c + m * k.c_row + n;
  const int last = int(k.N - n) - (V - 1) * lanes<T>;  // columns of the last vector, or more
  const auto loaded = [&](const T* p, int v) {
    return v < V - 1 || last >= lanes<T> ? load(p + v * lanes<T>) : load(p + v * lanes<T>, last);
  };
  if (k.accumulate) each<R, V>([&](int r, int v) { sums[r][v] += loaded(c + r * k.c_row, v); });
  if (k.finish && k.bias) {
    Vector<T> bias[V];
    for (int v = 0; v < V; ++v) bias[v] = loaded(k.bias + n, v);
    each<R, V>([&](int r, int v) { sums[r][v] += bias[v]; });
  }
  if (k.finish && k.add) {
    const T* const add = k.add + m * k.c_row + n;
    each<R, V>([&](int r, int v) { sums[r][v] += loaded(add + r * k.c_row, v); });
  }
  if (k.finish && k.act == Activation::relu)
    each<R, V>([&](int r, int v) { sums[r][v] = activated(sums[r][v], Activation::relu, T(0)); });
  else if (k.finish && k.act != Activation::none)
    each<R, V>([&](int r, int v) { sums[r][v] = activated(sums[r][v], k.act, k.slope); });
  if (k.stream && last >= lanes<T>)
    each<R, V>([&](int r, int v) { stream(c + r * k.c_row + v * lanes<T>, sums[r][v]); });
  else if (last >= lanes<T>)
    each<R, V>([&](int r, int v) { store(c + r * k.c_row + v * lanes<T>, sums[r][v]); });
  else
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < V - 1; ++v) store(c + r * k.c_row + v * lanes<T>, sums[r][v]);
      store(c + r * k.c_row + (V - 1) * lanes<T>, sums[r][V - 1], last);
    }
}

template <class T, bool k_major>
void tile_of_panel(const Block<T>& k, int64_t m, int64_t n) {
  const T* panel = k.b + n / (2 * lanes<T>)*k.b_panel;
  const int rows = int(k.M - m < max_rows ? k.M - m : max_rows);
  const bool whole = k.N - n > lanes<T>;
  const auto call = [&](auto R) {
    whole ? tile<T, R, 2, k_major>(k, m, n, panel) : tile<T, R, 1, k_major>(k, m, n, panel);
  };
  if (rows == max_rows)
    call(std::integral_constant<int, max_rows>{});
  else
    with_rows(rows, call);
}

template <class T, bool k_major>
void block_product(Block<T> k) {
  constexpr int width = 2 * lanes<T>;
  k.stream = k.stream && k.finish && k.c_row % lanes<T> == 0 &&
             reinterpret_cast<uintptr_t>(k.c) % vector_bytes == 0;
  if (k.K * k.N * int64_t(sizeof(T)) <= 16 << 10) {
    // B stays in L1: row after row, so that C is written as one stream.
    for (int64_t m = 0; m < k.M; m += max_rows)
      for (int64_t n = 0; n < k.N; n += width) tile_of_panel<T, k_major>(k, m, n);
  } else {
    for (int64_t n = 0; n < k.N; n += width)
      for (int64_t m = 0; m < k.M; m += max_rows) tile_of_panel<T, k_major>(k, m, n);
  }
  if (k.stream) stream_end();
}

template <class T>
void transposed(const T* from, int64_t column, int64_t K, T* to) {
  constexpr int L = lanes<T>, width = 2 * L;
  int64_t k = 0;
  for (; k + L <= K; k += L)
    for (int n = 0; n < width; n += L) {
      Vector<T> rows[L];
      for (int i = 0; i < L; ++i) rows[i] = load(from + (n + i) * column + k);
      transpose<T>(rows);
      for (int i = 0; i < L; ++i) store(to + (k + i) * width + n, rows[i]);
    }
  for (; k < K; ++k)
    for (int n = 0; n < width; ++n) to[k * width + n] = from[n * column + k];
}

}  // namespace

void transpose_to_panel(const float* from, int64_t column, int64_t K, float* to) {
  transposed(from, column, K, to);
}
void transpose_to_panel(const double* from, int64_t column, int64_t K, double* to) {
  transposed(from, column, K, to);
}

void multiply_block(const Block<float>& b) {
  b.a_column == 1 ? block_product<float, false>(b) : block_product<float, true>(b);
}
void multiply_block(const Block<double>& b) {
  b.a_column == 1 ? block_product<double, false>(b) : block_product<double, true>(b);
}
int panel_width(float) { return 2 * lanes<float>; }
int panel_width(double) { return 2 * lanes<double>; }
int tile_rows() { return max_rows; }

}  // namespace cairn::CAIRN_ISA
