#include "kernels/warp/warped_centres.h"

#include "runtime/threads.h"

namespace cairn::cpu {

void warped_centres(const Tensor& homographies, int cell, Tensor& centres) {
  with_float(centres.dtype(), [&](auto type) {
    using T = decltype(type);
    const int64_t height = centres.dim(1), width = centres.dim(2);
    const T* m = homographies.data<T>();
    T* uv = centres.data<T>();
    parallel_for(centres.dim(0) * height, 64, [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t j = 0; j < width; ++j)
          warp_centre(m + row / height * 9, row % height, j, cell, uv + (row * width + j) * 2);
    });
  });
}

}  // namespace cairn::cpu
