// descriptor_draw: the cells that the sparse descriptor loss looks at.
#include "kernels/loss/descriptor_draw.h"

#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

uint64_t hash_of(const double* homography) {
  uint64_t hash = 14695981039346656037u;
  for (int k = 0; k < 9; ++k)
    hash = (hash ^ std::bit_cast<uint32_t>(float(homography[k]))) * 1099511628211u;
  return hash;
}

Tensors formula_of(const Tensors& x, int64_t samples, int64_t negatives) {
  const int64_t N = x[1].dim(0), h = x[1].dim(1), w = x[1].dim(2), n = h * w;
  Tensor matches = Tensor::full({N, h, w}, -1, DType::i32),
         offsets = Tensor::empty({N, negatives}, DType::i32);
  for (int64_t pair = 0; pair < N; ++pair) {
    const uint64_t seed = hash_of(in(x[0]) + 9 * pair);
    for (int64_t cell = 0; cell < n; ++cell) {
      const double* uv = in(x[1]) + (pair * n + cell) * 2;
      const double column = std::floor(uv[0] + 0.5), row = std::floor(uv[1] + 0.5);
      if (!(column >= 0 && column < double(w) && row >= 0 && row < double(h))) continue;
      const int64_t match = int64_t(row) * w + int64_t(column);
      const double chance = double(philox(seed, 0, uint64_t(cell)).v[0]) * 0x1p-32;
      if (x[2].data<uint8_t>()[pair * n + match] && chance * double(n) < double(samples))
        matches.data<int32_t>()[pair * n + cell] = int32_t(match);
    }
    for (int64_t m = 0; m < negatives; ++m) {
      const double u = double(philox(seed, 1, uint64_t(m)).v[0]) * 0x1p-32;
      offsets.data<int32_t>()[pair * negatives + m] =
          n < 2 ? 0 : 1 + int32_t(std::floor(u * double(n - 1)));
    }
  }
  return {matches, offsets};
}

Case draw(int64_t N, int64_t h, int64_t w, int64_t samples, int64_t negatives) {
  Tensor centres = normal({N, h, w, 2}, 2, 1);
  for (int64_t i = 0; i < N * h * w; ++i) {
    centres.data<double>()[2 * i] += double(i % w);
    centres.data<double>()[2 * i + 1] += double(i / w % h);
  }
  Case c;
  c.label = text(N, "x", h, "x", w, " samples=", samples, " negatives=", negatives);
  c.inputs = {normal({N, 9}, 1), centres.to(DType::f32).to(DType::f64),
              indices({N, h, w}, 3, 0, 1).to(DType::u8)};
  c.formula = [=](const Tensors& x) { return formula_of(x, samples, negatives); };
  c.forward = [=](const Tensors& x) {
    Tensor matches = Tensor::empty({N, h, w}, DType::i32, x[0].device()),
           offsets = Tensor::empty({N, negatives}, DType::i32, x[0].device());
    descriptor_draw(x[0], x[1], x[2], samples, matches, offsets);
    return Tensors{matches, offsets};
  };
  return c;
}

const bool added = add_row({"descriptor_draw",
                            {draw(1, 1, 1, 5, 3), draw(0, 4, 4, 10, 10), draw(2, 7, 5, 20, 33),
                             draw(1, 15, 20, 1000, 100), draw(2, 30, 40, 600, 1)}});

}  // namespace
}  // namespace cairn::conformance
