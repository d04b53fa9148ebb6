#include "kernels/loss/descriptor_draw.h"

#include "kernels/loss/cell_weights.h"

namespace cairn::cpu {

void descriptor_draw(const Tensor& homographies, const Tensor& centres, const Tensor& valid,
                     int64_t samples, Tensor& matches, Tensor& offsets) {
  with_float(centres.dtype(), [&](auto type) {
    using T = decltype(type);
    const int64_t h = centres.dim(1), w = centres.dim(2), n = h * w, M = offsets.dim(1);
    const std::vector<T> weights = cell_weights<T>(&valid, valid.count());
    for (int64_t pair = 0; pair < centres.dim(0); ++pair) {
      const uint64_t seed = pair_seed(homographies.data<T>() + 9 * pair);
      for (int64_t cell = 0; cell < n; ++cell)
        matches.data<int32_t>()[pair * n + cell] =
            draw_match(seed, centres.data<T>() + 2 * (pair * n + cell), weights.data(), pair * n,
                       cell, h, w, samples);
      for (int64_t m = 0; m < M; ++m)
        offsets.data<int32_t>()[pair * M + m] = draw_offset(seed, m, n);
    }
  });
}

}  // namespace cairn::cpu
