#include "kernels/gemm/gemm.h"

#include "kernels/gemm/product.h"

namespace cairn::cpu {
namespace {

template <class T>
void product(const Tensor& a, const Tensor& b, bool transpose_b, Tensor& c) {
  Block<T> block;
  block.M = c.dim(0);
  block.N = c.dim(1);
  block.a = a.data<T>();
  block.a_row = a.dim(1);
  block.c = c.data<T>();
  block.c_row = c.dim(1);
  std::vector<int64_t> rows(a.dim(1));
  for (size_t k = 0; k < rows.size(); ++k) rows[k] = int64_t(k) * (transpose_b ? 1 : b.dim(1));
  tall_product(block, Panels<T>(b.data<T>(), rows, transpose_b ? b.dim(1) : 1, block.N));
}

template <class T>
void transposed_product(const Tensor& a, const Tensor& b, bool transpose_b, Tensor& c) {
  const int64_t M = c.dim(0), N = c.dim(1), K = a.dim(0);
  const int64_t row = transpose_b ? 1 : N, column = transpose_b ? K : 1;
  const T* from = b.data<T>();
  outer_product(M, N, K, a.data<T>(), M, c.data<T>(),
                [=](int64_t k, int64_t n, int64_t count, T* to) {
                  for (int64_t i = 0; i < count; ++i) to[i] = from[k * row + (n + i) * column];
                });
}

}  // namespace

void gemm(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, Tensor& c) {
  with_float(c.dtype(), [&](auto type) {
    using T = decltype(type);
    transpose_a ? transposed_product<T>(a, b, transpose_b, c) : product<T>(a, b, transpose_b, c);
  });
}

}  // namespace cairn::cpu
