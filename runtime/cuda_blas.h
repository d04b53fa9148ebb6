#pragma once
// Products of matrices by cuBLASLt. The library is opened at first use, so that a program built
// with it starts where it is missing; kernels/gemm then uses its own tiles.
#include <cstdint>
#include <string>

#include "runtime/dtype.h"

namespace cairn::cuda {

/// C [m,n] = relu(op(A) [m,k] op(B) [k,n] + bias), row-major, f32 or bf16, summed in float32.
struct BlasProduct {
  const void *a, *b;
  void* c;
  const void* bias;  ///< [n], or null
  bool transpose_a, transpose_b, relu;
  DType type;
  bool tf32;  ///< f32 operands may be rounded to TF32
  int64_t m, n, k;
  int64_t a_row, b_row, c_row;  ///< elements from one row to the next, as the matrices are stored
};

/// Gives the product to cuBLASLt, on Cairn's stream. False, and nothing was done: the library is
/// missing or has no algorithm for it.
bool blas_product(const BlasProduct& p);

std::string blas_version();  ///< "13.0.2", or empty when the library cannot be opened

}  // namespace cairn::cuda
