// gaussian_unpool: normalised Gaussians of several widths and the values that they spread.
#include "kernels/heatmap/gaussian_unpool.h"

#include <cmath>
#include <numbers>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

using Widths = std::vector<GaussianWidth>;

Tensor formula(const Tensor& centre, const Tensor& values, const Widths& widths, int64_t H,
               int64_t W) {
  const int64_t N = centre.dim(0), K = centre.dim(1), S = values.dim(2), length = K + 1 + S;
  Tensor y = zeros64({N, H, W, int64_t(widths.size()) * length});
  double* out = y.data<double>();
  for (int64_t n = 0; n < N; ++n)
    for (int64_t i = 0; i < H; ++i)
      for (int64_t j = 0; j < W; ++j)
        for (const auto& [s, background] : widths) {
          double sum = out[K] = background;
          for (int64_t k = 0; k < K; ++k) {
            const double* c = in(centre) + (n * K + k) * 2;
            const double dx = (double(j) + .5) / double(W) - c[0];
            const double dy = (double(i) + .5) / double(H) - c[1];
            const double d2 = dx * dx * double(W) / double(H) + dy * dy * double(H) / double(W);
            sum += out[k] = std::exp(-d2 / (2 * s * s)) / (2 * std::numbers::pi * s * s);
          }
          for (int64_t k = 0; k <= K; ++k) {
            out[k] /= sum;
            for (int64_t c = 0; c < S; ++c)
              out[K + 1 + c] += out[k] * in(values)[(n * (K + 1) + k) * S + c];
          }
          out += length;
        }
  return y;
}

struct Map {
  int64_t N, H, W;
};
enum class Wanted { both, of_centre, of_values };

Case unpool_case(const Map& map, int64_t K, int64_t S, const Widths& widths,
                 Wanted wanted = Wanted::both) {
  const Shape shape{map.N, map.H, map.W, int64_t(widths.size()) * (K + 1 + S)};
  Case c;
  c.label = text("y=", shape, " K=", K, " S=", S);
  c.inputs = {uniform({map.N, K, 2}, 1, -0.2, 1.2), normal({map.N, K + 1, S}, 2)};
  c.tolerance = 5e-6;
  c.formula = [=](const Tensors& x) { return Tensors{formula(x[0], x[1], widths, map.H, map.W)}; };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like(shape);
    gaussian_unpool(x[0], x[1], widths, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dout) {
    Tensor dcentre, dvalues;
    if (wanted != Wanted::of_values) dcentre = x[0].empty_like();
    if (wanted != Wanted::of_centre) dvalues = x[1].empty_like();
    gaussian_unpool_backward(x[0], x[1], widths, dout[0], dcentre.defined() ? &dcentre : nullptr,
                             dvalues.defined() ? &dvalues : nullptr);
    return Tensors{dcentre, dvalues};
  };
  return c;
}

const Widths five{{0.125}, {0.177}, {0.25}, {0.354}, {0.5}};

Case large() {
  Case c = unpool_case({2, 80, 80}, 10, 64, five);
  c.large = true;
  return c;
}

const bool added =
    add_row({"gaussian_unpool",
             {unpool_case({1, 1, 1}, 1, 1, {{0.3}}), unpool_case({0, 4, 4}, 3, 5, {{0.3}}),
              unpool_case({2, 7, 5}, 1, 3, {{0.3}, {0.1}}), unpool_case({2, 7, 5}, 3, 0, {{0.2}}),
              unpool_case({1, 5, 6}, 0, 4, {{0.2}}), unpool_case({1, 9, 17}, 10, 13, five),
              unpool_case({2, 11, 6}, 8, 16, {{0.125}, {0.25}, {0.5}}),
              unpool_case({2, 6, 5}, 4, 9, {{0.2}, {0.4}}, Wanted::of_centre),
              unpool_case({2, 6, 5}, 4, 9, {{0.2}, {0.4}}, Wanted::of_values),
              unpool_case({1, 6, 5}, 40, 7, {{0.2}}), unpool_case({1, 20, 20}, 3, 6, {{0.02}}),
              unpool_case({1, 60, 71}, 5, 3, {{0.2, 0.5}, {0.1, 3}}), large()},
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
