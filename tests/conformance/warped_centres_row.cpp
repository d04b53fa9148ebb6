// warped_centres: the cells of one image in the grid of another.
#include "kernels/warp/warped_centres.h"

#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case warp_case(const char* what, const std::vector<double>& matrices, int64_t h, int64_t w,
               int cell) {
  const int64_t N = int64_t(matrices.size()) / 9;
  Case c;
  c.label = text(what, " ", N, "x", h, "x", w, " cell=", cell);
  c.inputs = {Tensor::from<double>({N, 9}, matrices)};
  c.formula = [=](const Tensors& x) {
    Tensor y = zeros64({N, h, w, 2});
    for (int64_t n = 0; n < N; ++n)
      for (int64_t i = 0; i < h; ++i)
        for (int64_t j = 0; j < w; ++j) {
          const double* m = in(x[0]) + 9 * n;
          const double px = (double(j) + 0.5) * cell - 0.5, py = (double(i) + 0.5) * cell - 0.5;
          const double d = m[6] * px + m[7] * py + m[8];
          double* to = y.data<double>() + ((n * h + i) * w + j) * 2;
          to[0] = d == 0 ? HUGE_VAL : ((m[0] * px + m[1] * py + m[2]) / d + 0.5) / cell - 0.5;
          to[1] = d == 0 ? HUGE_VAL : ((m[3] * px + m[4] * py + m[5]) / d + 0.5) / cell - 0.5;
        }
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like({N, h, w, 2});
    warped_centres(x[0], cell, y);
    return Tensors{y};
  };
  return c;
}

const std::vector<double> identity = {1, 0, 0, 0, 1, 0, 0, 0, 1};
const std::vector<double> turned_and_tilted = {0.9375,  0.390625,     -46.125, -0.265625, 0.9453125,
                                               39.8125, -0.000328125, 0,       1};
const std::vector<double> horizon = {1, 0, 0, 0, 1, 0, 0.25, 0, -0.875};  // pixel 3.5: at infinity

std::vector<double> both(std::vector<double> a, const std::vector<double>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const bool added = add_row(
    {"warped_centres",
     {warp_case("identity", identity, 1, 1, 8), warp_case("nothing", {}, 3, 4, 8),
      warp_case("two", both(identity, turned_and_tilted), 7, 5, 8),
      warp_case("tilted", turned_and_tilted, 30, 40, 8), warp_case("horizon", horizon, 2, 3, 8),
      warp_case("pixels", turned_and_tilted, 4, 33, 1)}});

}  // namespace
}  // namespace cairn::conformance
