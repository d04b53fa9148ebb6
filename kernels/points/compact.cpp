#include "kernels/points/compact.h"

#include "kernels/points/scan.h"
#include "runtime/threads.h"

namespace cairn::cpu {

void compact(const Tensor& heat, double threshold, int border, Tensor& index, Tensor& score,
             Tensor& count) {
  const int64_t height = heat.dim(1), width = heat.dim(2), capacity = index.dim(1);
  int32_t *pi = index.data<int32_t>(), *pc = count.data<int32_t>();
  with_float(heat.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* s = heat.data<T>();
    T* ps = score.data<T>();
    parallel_for(heat.dim(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        const T* image = s + n * height * width;
        int64_t found = 0;
        const auto list = [&](int32_t i, T value) {
          if (found < capacity) {
            pi[n * capacity + found] = i;
            ps[n * capacity + found] = value;
          }
          ++found;
        };
        for (int64_t y = border; y < height - border; ++y)
          if (const int64_t first = y * width + border; width > 2 * border)
            for_each_above(image + first, width - 2 * border, T(threshold),
                           [&](int64_t k) { list(int32_t(first + k), image[first + k]); });
        pc[n] = int32_t(found);
        for (int64_t k = found; k < capacity; ++k) {
          pi[n * capacity + k] = -1;
          ps[n * capacity + k] = 0;
        }
      }
    });
  });
}

}  // namespace cairn::cpu
