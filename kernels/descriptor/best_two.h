#pragma once
// The running best two of many similarities: the inner loops of nearest_descriptors on the cpu.
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "kernels/isa.h"

namespace cairn {

/// As wide as T, so that a vector of them has as many lanes.
template <class T>
using IndexLike = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;

/// The best two of each of several rows (or columns), seen so far.
template <class T>
struct BestTwo {
  T *best, *second;
  IndexLike<T>* index;  ///< where the best one is
};

/// The numbers s[row * stride + column], in whole vectors: `stride` is a multiple of 16, and behind
/// the last column -infinity fills the last vector.
template <class T>
struct Similarities {
  const T* s;
  int64_t rows, columns, stride;
  int64_t first_row, first_column;  ///< what row 0 and column 0 are called in an index
};

CAIRN_ON_EACH_ISA(
    /// Raises of_row[0..rows) and of_column[0..columns). What was there comes from lower indices.
    void raise_best_two(const Similarities<float>&, BestTwo<float> of_row,
                        BestTwo<float> of_column);
    void raise_best_two(const Similarities<double>&, BestTwo<double> of_row,
                        BestTwo<double> of_column);)

}  // namespace cairn
