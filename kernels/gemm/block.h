#pragma once
// The core under gemm and every convolution: one block of C = A B on one thread, for blocks that
// fit the cache. Callers cut the problem into blocks, put B into panels, and spread blocks over
// threads.
#include <cstddef>
#include <cstdint>

#include "kernels/activation_kind.h"
#include "kernels/isa.h"

namespace cairn {

/// C [M,N] = (or +=) A [M,K] B [K,N], then, if `finish`, C = act(C + bias + add).
template <class T>
struct Block {
  int64_t M = 0, N = 0, K = 0;

  /// A(m,k) = a[m a_row + k a_column]; one of the two is 1. Rows may overlap.
  const T* a = nullptr;
  int64_t a_row = 0, a_column = 1;

  /// B in panels of panel_width() columns: B(k,n) = b[n / width b_panel + k b_row + n % width].
  /// The last panel is readable up to a whole vector beyond N.
  const T* b = nullptr;
  int64_t b_row = 0, b_panel = 0;

  T* c = nullptr;  ///< C(m,n) = c[m c_row + n]
  int64_t c_row = 0;

  bool accumulate = false;
  bool finish = false;
  const T* bias = nullptr;  ///< [N], or none
  const T* add = nullptr;  ///< [M,N] every c_row, added to the sum like the bias, or none; may be c
  Activation act = Activation::none;
  T slope = 0;
  bool stream = false;  ///< write C past the caches: see too_large_to_cache
};

/// Outputs of this many bytes are mostly gone from the cache before anyone reads them. Writing past
/// the caches spares fetching each line first: 10 ms to 4.4 ms for the first layer of a network at
/// 480x640, 44.3 to 42.2 ms for all of SuperPoint when the limit went from 32 to 8 MB (of 32 MB
/// that are shared); 2 and 4 MB are the same.
inline bool too_large_to_cache(size_t bytes) { return bytes > size_t{8} << 20; }

CAIRN_ON_EACH_ISA(
    void multiply_block(const Block<float>& block); void multiply_block(const Block<double>& block);
    int panel_width(float); int panel_width(double); int tile_rows();
    /// to[k width + n] = from[n column + k] for k in 0..K and a panel's n: panels from
    /// a transposed B.
    void transpose_to_panel(const float* from, int64_t column, int64_t K, float* to);
    void transpose_to_panel(const double* from, int64_t column, int64_t K, double* to);)

void multiply_block(const Block<float>& block);
void multiply_block(const Block<double>& block);

/// Columns of a panel of B: two vectors.
template <class T>
int panel_width() {
  return CAIRN_ISA_CALL(panel_width, T{});
}

/// Rows of C that one register tile covers: blocks with a multiple of it waste nothing.
inline int tile_rows() { return CAIRN_ISA_CALL(tile_rows); }

}  // namespace cairn
