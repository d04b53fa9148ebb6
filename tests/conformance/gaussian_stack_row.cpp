// gaussian_stack: densities and a constant background, normalised at each pixel.
#include "kernels/heatmap/gaussian_stack.h"

#include <cmath>
#include <numbers>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Tensor formula(const Tensor& centre, double s, double background, int64_t H, int64_t W) {
  const int64_t N = centre.dim(0), K = centre.dim(1);
  Tensor y = zeros64({N, H, W, K + 1});
  for (int64_t n = 0; n < N; ++n)
    for (int64_t i = 0; i < H; ++i)
      for (int64_t j = 0; j < W; ++j) {
        double* out = y.data<double>() + ((n * H + i) * W + j) * (K + 1);
        double sum = out[K] = background;
        for (int64_t k = 0; k < K; ++k) {
          const double* c = in(centre) + (n * K + k) * 2;
          const double dx = (double(j) + .5) / double(W) - c[0];
          const double dy = (double(i) + .5) / double(H) - c[1];
          const double d2 = dx * dx * double(W) / double(H) + dy * dy * double(H) / double(W);
          out[k] = std::exp(-d2 / (2 * s * s)) / (2 * std::numbers::pi * s * s);
          sum += out[k];
        }
        for (int64_t k = 0; k <= K; ++k) out[k] /= sum;
      }
  return y;
}

Case stack_case(int64_t N, int64_t H, int64_t W, int64_t K, double sigma, double background = 1) {
  Case c;
  c.label = text("y=", Shape{N, H, W, K + 1}, " sigma=", sigma, " background=", background);
  c.inputs = {uniform({N, K, 2}, 1, -0.1, 1.1)};
  c.tolerance = 5e-6;
  c.formula = [=](const Tensors& x) { return Tensors{formula(x[0], sigma, background, H, W)}; };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like({N, H, W, K + 1});
    gaussian_stack(x[0], sigma, background, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& x, const Tensors& out, const Tensors& dout) {
    Tensor dcentre = x[0].empty_like();
    gaussian_stack_backward(x[0], sigma, out[0], dout[0], dcentre);
    return Tensors{dcentre};
  };
  return c;
}

const bool added =
    add_row({"gaussian_stack",
             {stack_case(1, 1, 1, 1, 0.3), stack_case(0, 4, 4, 3, 0.3), stack_case(2, 7, 5, 3, 0.3),
              stack_case(1, 33, 17, 10, 0.1), stack_case(1, 6, 5, 40, 0.2),
              stack_case(1, 90, 71, 5, 0.2, 0.5), stack_case(1, 20, 20, 3, 0.02)},
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
