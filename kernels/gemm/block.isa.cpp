#include "kernels/gemm/block.h"

#include <type_traits>

#include "kernels/gemm/activated.h"
#include "kernels/gemm/register_tile.h"

namespace cairn::CAIRN_ISA {
namespace {

/// The first `count` numbers at p, 0 behind them; and their way back.
template <class T>
Vector<T> load_part(const T* p, int count) {
  Vector<T> v{};
  for (int i = 0; i < count; ++i) v[i] = p[i];
  return v;
}
template <class T>
void store_part(T* p, Vector<T> v, int count) {
  for (int i = 0; i < count; ++i) p[i] = v[i];
}

/// Rows m..m+R of one panel that begins at column n and has V vectors.
template <class T, int R, int V, bool k_major>
void tile(const Block<T>& k, int64_t m, int64_t n, const T* panel) {
  Vector<T> sums[R][V] = {};
  multiply_tile<T, R, V, k_major>(k.a + m * k.a_row, k_major ? k.a_column : k.a_row, panel, k.b_row,
                                  k.K, sums);
  for (int v = 0; v < V; ++v) {
    const int64_t column = n + v * lanes<T>;
    const int count = int(k.N - column < lanes<T> ? k.N - column : lanes<T>);
    const bool whole = count == lanes<T>;
    Vector<T> bias{};
    if (k.finish && k.bias)
      bias = whole ? load(k.bias + column) : load_part(k.bias + column, count);
    for (int r = 0; r < R; ++r) {
      T* c = k.c + (m + r) * k.c_row + column;
      Vector<T> z = sums[r][v];
      if (k.accumulate) z += whole ? load(c) : load_part(c, count);
      if (k.finish) z = activated<T>(z + bias, k.act, k.slope);
      if (whole)
        store(c, z);
      else
        store_part(c, z, count);
    }
  }
}

template <class T, int V, bool k_major>
void panel_product(const Block<T>& k, int64_t n, const T* panel) {
  int64_t m = 0;
  for (; m + max_rows <= k.M; m += max_rows) tile<T, max_rows, V, k_major>(k, m, n, panel);
  if (m < k.M)
    with_rows(int(k.M - m), [&](auto rows) { tile<T, rows, V, k_major>(k, m, n, panel); });
}

template <class T, bool k_major>
void block_product(const Block<T>& k) {
  constexpr int width = 2 * lanes<T>;
  for (int64_t n = 0; n < k.N; n += width) {
    const T* panel = k.b + n / width * k.b_panel;
    if (k.N - n > lanes<T>)
      panel_product<T, 2, k_major>(k, n, panel);
    else
      panel_product<T, 1, k_major>(k, n, panel);
  }
}

}  // namespace

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
