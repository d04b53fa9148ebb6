#include "kernels/gemm/gemm.h"

#include "runtime/threads.h"

namespace cairn::cpu {

void gemm(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, Tensor& c) {
  const int64_t M = c.dim(0), N = c.dim(1), K = a.dim(transpose_a ? 0 : 1);
  with_float(c.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *A = a.data<T>(), *B = b.data<T>();
    T* C = c.data<T>();
    parallel_for(M, 1, [=](int64_t begin, int64_t end) {
      for (int64_t m = begin; m < end; ++m)
        for (int64_t n = 0; n < N; ++n) {
          double sum = 0;
          for (int64_t k = 0; k < K; ++k)
            sum += double(A[transpose_a ? k * M + m : m * K + k]) *
                   double(B[transpose_b ? n * K + k : k * N + n]);
          C[m * N + n] = T(sum);
        }
    });
  });
}

}  // namespace cairn::cpu
