// sample_descriptors: a unit vector from four unit vectors around a point.
#include "kernels/descriptor/sample_descriptors.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

void make_unit(double* x, int64_t count) {
  double sum = 0;
  for (int64_t c = 0; c < count; ++c) sum += x[c] * x[c];
  for (int64_t c = 0; c < count; ++c) x[c] /= std::max(std::sqrt(sum), descriptor_eps);
}

Case sample_case(const Shape& shape, int64_t K, const DescriptorGrid& grid, double low,
                 double high) {
  const int64_t H = shape[1], W = shape[2], C = shape[3];
  Case c;
  c.label = text("map=", shape, " K=", K, " scale=", grid.scale_x);
  c.inputs = {normal(shape, 1), uniform({shape[0], K, 2}, 2, low, high)};
  c.formula = [=](const Tensors& x) {
    Tensor map = x[0].clone(), y = zeros64({shape[0], K, C});
    for (int64_t p = 0; p < map.count() / C; ++p) make_unit(map.data<double>() + p * C, C);
    const auto hat = [](double d) { return std::max(0.0, 1 - std::abs(d)); };
    for (int64_t i = 0; i < shape[0] * K; ++i) {
      const double u = grid.scale_x * in(x[1])[2 * i] + grid.offset_x;
      const double v = grid.scale_y * in(x[1])[2 * i + 1] + grid.offset_y;
      double* out = y.data<double>() + i * C;
      for (int64_t r = 0; r < H; ++r)
        for (int64_t q = 0; q < W; ++q)
          for (int64_t k = 0; k < C; ++k)
            out[k] += hat(u - double(q)) * hat(v - double(r)) *
                      in(map)[((i / K * H + r) * W + q) * C + k];
      make_unit(out, C);
    }
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like({shape[0], K, C});
    sample_descriptors(x[0], x[1], grid, y);
    return Tensors{y};
  };
  return c;
}

const DescriptorGrid eighth{0.125, 0.125, -0.4375, -0.4375};

const bool added = add_row(
    {"sample_descriptors",
     {sample_case({1, 1, 1, 1}, 3, eighth, 1, 6), sample_case({2, 5, 7, 256}, 40, eighth, 0, 39),
      sample_case({1, 6, 4, 33}, 50, {0.11, 0.12, 0, 0}, 0, 31),
      sample_case({2, 3, 3, 8}, 0, eighth, 0, 1), sample_case({0, 3, 3, 8}, 5, eighth, 0, 1)},
     Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
