#include "kernels/elementwise/cast.h"

#include "kernels/elementwise/bf16_rows.h"
#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

template <class F>
void in_parts(int64_t count, F&& f) {
  parallel_for(count, 1 << 15, [&](int64_t begin, int64_t end) { f(begin, end - begin); });
}

}  // namespace

void cast(const Tensor& x, Tensor& y) {
  if (x.dtype() == DType::bf16 && y.dtype() == DType::f32)
    return in_parts(y.count(), [from = x.data<bf16>(), to = y.data<float>()](int64_t i, int64_t n) {
      CAIRN_ISA_CALL(widen, from + i, to + i, n);
    });
  if (x.dtype() == DType::f32 && y.dtype() == DType::bf16)
    return in_parts(y.count(), [from = x.data<float>(), to = y.data<bf16>()](int64_t i, int64_t n) {
      CAIRN_ISA_CALL(narrow, from + i, to + i, n);
    });
  y.copy_from(x.to(y.dtype()));
}

}  // namespace cairn::cpu
