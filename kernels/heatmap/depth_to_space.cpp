#include "kernels/heatmap/depth_to_space.h"

#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

// Calls f(place in deep, place in wide) for every element, one row of cells at a time.
template <class F>
void for_each_place(const Tensor& deep, const Tensor& wide, int r, const F& f) {
  const int64_t W = deep.dim(2), C = deep.dim(3), D = wide.dim(3), Wo = wide.dim(2);
  parallel_for(deep.dim(0) * deep.dim(1), 1, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      for (int64_t u = 0; u < r; ++u)
        for (int64_t j = 0; j < W; ++j)
          for (int64_t v = 0; v < r; ++v)
            for (int64_t d = 0; d < D; ++d)
              f((row * W + j) * C + (d * r + u) * r + v, ((row * r + u) * Wo + j * r + v) * D + d);
  });
}

}  // namespace

void depth_to_space(const Tensor& deep, int r, Tensor& wide) {
  with_float(wide.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = deep.data<T>();
    T* to = wide.data<T>();
    for_each_place(deep, wide, r,
                   [=](int64_t in_deep, int64_t in_wide) { to[in_wide] = from[in_deep]; });
  });
}

void space_to_depth(const Tensor& wide, int r, Tensor& deep) {
  with_float(deep.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = wide.data<T>();
    T* to = deep.data<T>();
    for_each_place(deep, wide, r,
                   [=](int64_t in_deep, int64_t in_wide) { to[in_deep] = from[in_wide]; });
  });
}

}  // namespace cairn::cpu
