#include "kernels/points/refine.h"

#include "kernels/points/refine_point.h"
#include "runtime/threads.h"

namespace cairn::cpu {

void refine(const Tensor& heat, const Tensor& index, Refinement how, Tensor& points) {
  const int64_t height = heat.dim(1), width = heat.dim(2), k = index.dim(1);
  const int32_t* pi = index.data<int32_t>();
  with_float(heat.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* s = heat.data<T>();
    T* p = points.data<T>();
    parallel_for(index.count(), 256, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        refine_point(s + i / k * height * width, height, width, pi[i], how, p + 2 * i);
    });
  });
}

}  // namespace cairn::cpu
