#pragma once
// Column-wise work on an [R,C] array, for kernels: where the threads lie, and sums over the rows.
// The counterpart on cpu is kernels/column_sums.h. Included by .cu files only.
//
// A block is `lanes` threads along a row, V columns each, and 256 / lanes rows; blockIdx.y chooses
// the columns, the rows of the grid interleave. A thread keeps its columns, so that what is per
// channel is loaded once.
#include "kernels/device.h"
#include "kernels/lane_group.h"
#include "runtime/tensor.h"

namespace cairn::CAIRN_NS {

struct ColumnGrid {
  Dim3 grid, block;
};

/// `per_thread` rows for each thread, at most `most_blocks` blocks down the rows.
template <int V>
ColumnGrid column_grid(int64_t rows, int64_t C, int per_thread, int64_t most_blocks) {
  const int lanes = lanes_for(C / V), down = 256 / lanes;
  const int64_t rows_per_block = int64_t(down) * per_thread;
  const int64_t blocks = (rows + rows_per_block - 1) / rows_per_block;
  return {Dim3(std::clamp<int64_t>(blocks, 1, most_blocks), (C / V + lanes - 1) / lanes),
          Dim3(lanes, down)};
}

CAIRN_DEVICE int64_t first_row() { return int64_t(blockIdx.x) * blockDim.y + threadIdx.y; }
CAIRN_DEVICE int64_t row_stride() { return int64_t(gridDim.x) * blockDim.y; }
template <int V>
CAIRN_DEVICE int64_t own_column() {
  return (int64_t(blockIdx.y) * blockDim.x + threadIdx.x) * V;
}

template <class T, int N>
struct ColumnScratch {
  T v[N][256];
};

/// Adds up each of a thread's N values over the rows of its block; row 0 gets the sums.
template <class T, int N>
CAIRN_DEVICE void sum_down_block(T (&values)[N], Site site = Site::current()) {
  auto& scratch = shared<ColumnScratch<T, N>>();
  const int own = thread_rank();
  for (int i = 0; i < N; ++i) scratch.v[i][own] = values[i];
  for (int half = blockDim.y / 2; half > 0; half /= 2) {
    sync_threads(site);
    if (int(threadIdx.y) < half)
      for (int i = 0; i < N; ++i) scratch.v[i][own] += scratch.v[i][own + half * blockDim.x];
  }
  for (int i = 0; i < N; ++i) values[i] = scratch.v[i][own];
}

/// partial[block, k, c] = sum of term k over the block's rows. terms(r, c, acc) adds the terms of
/// columns c .. c+V of row r to acc[k V + 0 .. V).
template <class T, int K, int V, class Terms>
CAIRN_KERNEL void column_partials_kernel(Terms terms, int64_t rows, int64_t C, T* partial) {
  const int64_t c = own_column<V>();
  T acc[K * V] = {};
  if (c < C)
    for (int64_t r = first_row(); r < rows; r += row_stride()) terms(r, c, acc);
  sum_down_block(acc);
  if (threadIdx.y != 0 || c >= C) return;
  for (int k = 0; k < K; ++k)
    for (int v = 0; v < V; ++v) partial[(int64_t(blockIdx.x) * K + k) * C + c + v] = acc[k * V + v];
}

/// finish(c, sums) with the K sums of column c over all parts.
template <class T, int K, class Finish>
CAIRN_KERNEL void column_finish_kernel(Finish finish, const T* partial, int64_t parts, int64_t C) {
  const int64_t c = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  T sums[K] = {};
  if (c < C)
    for (int64_t p = threadIdx.y; p < parts; p += blockDim.y)
      for (int k = 0; k < K; ++k) sums[k] += partial[(p * K + k) * C + c];
  sum_down_block(sums);
  if (threadIdx.y == 0 && c < C) finish(c, sums);
}

/// Both in a row. The parts depend on the shape alone: the sums repeat bit for bit.
template <class T, int K, int V, class Terms, class Finish>
void column_sums(const char* name, int64_t rows, int64_t C, const Terms& terms,
                 const Finish& finish, const Tensor& model) {
  const ColumnGrid g = column_grid<V>(rows, C, 16, 512);
  const int64_t parts = g.grid.x;
  Tensor partial = model.empty_like({parts, K, C});
  launch(name, column_partials_kernel<T, K, V, Terms>, g.grid, g.block, 0, terms, rows, C,
         partial.data<T>());
  launch(name, column_finish_kernel<T, K, Finish>, Dim3((C + 31) / 32), Dim3(32, 8), 0, finish,
         partial.data<T>(), parts, C);
}

}  // namespace cairn::CAIRN_NS
