#pragma once
// The two ways in which products of matrices are spread over threads and cut to fit the cache. gemm
// and the convolutions are made of them.
#include "kernels/gemm/panels.h"

namespace cairn {

/// `block`, which has all but K and b set, of columns n.. of B, in passes over k that fit L1.
template <class T>
void multiply_blocks(Block<T> block, const Panels<T>& b, int64_t n) {
  const bool finish = block.finish, accumulate = block.accumulate;
  int64_t k = 0;
  do {  // at least once: K = 0 writes zeros
    b.use(k, std::min(chunk_rows, b.K() - k), n, block);
    block.accumulate = accumulate || k > 0;
    block.finish = finish && k + chunk_rows >= b.K();
    multiply_block(block);
    block.a += chunk_rows * block.a_column;
    k += chunk_rows;
  } while (k < b.K());
}

/// C [M,N] = (or +=) A B for a tall A: `whole` has all but K and b set, `b` is all of B. Threads
/// share out the rows. N may be anything; blocks of 8 register tiles of rows and 256 columns stay
/// in L2.
template <class T>
void tall_product(const Block<T>& whole, const Panels<T>& b) {
  const int64_t rows = 8 * tile_rows(), columns = 256;
  const int64_t row_blocks = (whole.M + rows - 1) / rows;
  const int64_t column_blocks = (whole.N + columns - 1) / columns;
  parallel_for(row_blocks * column_blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t m = item % row_blocks * rows, n = item / row_blocks * columns;
      Block<T> block = whole;
      block.M = std::min(rows, whole.M - m);
      block.N = std::min(columns, whole.N - n);
      block.a += m * whole.a_row;
      block.c += m * whole.c_row + n;
      if (whole.bias) block.bias += n;
      if (whole.add) block.add += m * whole.c_row + n;
      multiply_blocks(block, b, n);
    }
  });
}

/// C [M,N] = sum over k of the outer products of A's row k and B's row k, for a K much larger than
/// M and N: gradients of weights. A(k,m) = a[k a_row + m]; `fill(k0, k1, n0, count, panels)` writes
/// rows k0..k1 of columns n0..n0+count of B in panels. K is cut into parts that depend on the sizes
/// alone; each has its own C, and these are added in order.
template <class T, class Fill>
void outer_product_of_panels(int64_t M, int64_t N, int64_t K, const T* a, int64_t a_row, T* c,
                             Fill&& fill) {
  const int64_t columns = 4 * panel_width<T>();
  const int64_t column_blocks = (N + columns - 1) / columns;
  const int64_t parts = std::clamp<int64_t>(16 / std::max<int64_t>(column_blocks, 1), 1,
                                            std::max<int64_t>(1, K / 2048));
  Tensor sums;
  if (parts > 1) sums = Tensor::empty({parts - 1, M, N}, DTypeOf<T>::value);
  T* others = parts > 1 ? sums.data<T>() : nullptr;
  parallel_for(parts * column_blocks, 1, [&](int64_t begin, int64_t end) {
    Tensor memory = Tensor::empty({chunk_rows * columns}, DTypeOf<T>::value);
    T* panels = memory.data<T>();
    for (int64_t item = begin; item < end; ++item) {
      const int64_t part = item % parts, n0 = item / parts * columns;
      const int64_t last = K * (part + 1) / parts;
      Block<T> block;
      block.M = M;
      block.N = std::min(columns, N - n0);
      block.a_row = 1;
      block.a_column = a_row;
      block.b = panels;
      block.b_row = panel_width<T>();
      block.c = (part == 0 ? c : others + (part - 1) * M * N) + n0;
      block.c_row = N;
      int64_t k = K * part / parts;
      do {
        block.K = std::min(chunk_rows, last - k);
        block.a = a + k * a_row;
        block.b_panel = block.K * block.b_row;
        fill(k, k + block.K, n0, block.N, panels);
        multiply_block(block);
        block.accumulate = true;
        k += chunk_rows;
      } while (k < last);
    }
  });
  parallel_for(parts > 1 ? M * N : 0, 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t part = 0; part + 1 < parts; ++part)
      for (int64_t i = begin; i < end; ++i) c[i] += others[part * M * N + i];
  });
}

/// The same with rows of B as fill_panels takes them: copy(k, n, count, to) writes B(k,
/// n..n+count).
template <class T, class Copy>
void outer_product(int64_t M, int64_t N, int64_t K, const T* a, int64_t a_row, T* c, Copy&& copy) {
  outer_product_of_panels(
      M, N, K, a, a_row, c, [&](int64_t k0, int64_t k1, int64_t n0, int64_t columns, T* panels) {
        fill_panels(k0, k1, columns, panels, [&](int64_t row, int64_t n, int64_t count, T* to) {
          copy(row, n0 + n, count, to);
        });
      });
}

}  // namespace cairn
