#include "kernels/gemm/block.h"

#include "kernels/activation.h"

namespace cairn {
namespace {

template <class T>
void multiply(const Block<T>& k) {
  CAIRN_ISA_CALL(multiply_block, k);
  if (!k.finish || !is_curved(k.act)) return;
  for (int64_t m = 0; m < k.M; ++m)
    for (int64_t n = 0; n < k.N; ++n) {
      T& c = k.c[m * k.c_row + n];
      c = activate(k.act, c, T(0));
    }
}

}  // namespace

void multiply_block(const Block<float>& block) { multiply(block); }
void multiply_block(const Block<double>& block) { multiply(block); }

}  // namespace cairn
