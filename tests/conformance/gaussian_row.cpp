// gaussian: one blob per image and channel, in three forms.
#include "kernels/heatmap/gaussian.h"

#include <cmath>
#include <numbers>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Tensor formula(const Tensors& x, GaussianForm form, int64_t H, int64_t W) {
  const Tensor &centre = x[0], &sigma = x[1], &amplitude = x[2];
  const int64_t N = centre.dim(0), K = centre.dim(1);
  Tensor y = zeros64({N, H, W, K});
  for (int64_t n = 0; n < N; ++n)
    for (int64_t i = 0; i < H; ++i)
      for (int64_t j = 0; j < W; ++j)
        for (int64_t k = 0; k < K; ++k) {
          const int64_t at = n * K + k;
          const double s = in(sigma)[at];
          const double dx = ((double(j) + .5) / double(W) - in(centre)[2 * at]) *
                            std::sqrt(double(W) / double(H));
          const double dy = ((double(i) + .5) / double(H) - in(centre)[2 * at + 1]) *
                            std::sqrt(double(H) / double(W));
          const double d2 = dx * dx + dy * dy;
          double g = in(amplitude)[at];
          if (form == GaussianForm::undivided)
            g *= std::exp(-d2 / (s * s));
          else
            g *= std::exp(-d2 / (2 * s * s));
          if (form == GaussianForm::density) g /= 2 * std::numbers::pi * s * s;
          y.data<double>()[((n * H + i) * W + j) * K + k] = g;
        }
  return y;
}

Case gaussian_case(int64_t N, int64_t H, int64_t W, int64_t K, GaussianForm form, double sigma) {
  Case c;
  c.label = text("y=", Shape{N, H, W, K}, " form=", int(form), " sigma=", sigma);
  c.inputs = {uniform({N, K, 2}, 1, -0.1, 1.1), uniform({N, K}, 2, sigma / 2, sigma),
              uniform({N, K}, 3, -1, 2)};
  c.tolerance = 5e-6;
  c.formula = [=](const Tensors& x) { return Tensors{formula(x, form, H, W)}; };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like({N, H, W, K});
    gaussian(x[0], x[1], x[2], form, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dout) {
    Tensors d{x[0].empty_like(), x[1].empty_like(), x[2].empty_like()};
    gaussian_backward(x[0], x[1], x[2], form, dout[0], d[0], d[1], d[2]);
    return d;
  };
  return c;
}

constexpr auto plain = GaussianForm::plain, density = GaussianForm::density,
               undivided = GaussianForm::undivided;

const bool added =
    add_row({"gaussian",
             {gaussian_case(1, 1, 1, 1, plain, 0.3), gaussian_case(0, 4, 4, 3, plain, 0.3),
              gaussian_case(2, 7, 5, 3, plain, 0.3), gaussian_case(2, 5, 9, 4, density, 0.3),
              gaussian_case(2, 6, 6, 5, undivided, 0.3), gaussian_case(1, 33, 17, 16, density, 0.1),
              gaussian_case(1, 3, 4, 65, plain, 0.5), gaussian_case(1, 130, 97, 6, plain, 0.2),
              gaussian_case(1, 20, 20, 3, plain, 0.02)},
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
