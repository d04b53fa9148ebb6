// soft_argmax: mean and variance of the spatial softmax.
#include "kernels/heatmap/soft_argmax.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"
#include "tests/conformance/map_moments.h"

namespace cairn::conformance {
namespace {

Tensors formula(const Tensor& z, double gain) {
  const int64_t N = z.dim(0), H = z.dim(1), W = z.dim(2), K = z.dim(3);
  Tensor point = zeros64({N, K, 2}), variance = zeros64({N, K, 2});
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k) {
      const auto at = [=](int64_t i, int64_t j) { return ((n * H + i) * W + j) * K + k; };
      double top = -1e300, sum = 0;
      for (int64_t i = 0; i < H; ++i)
        for (int64_t j = 0; j < W; ++j) top = std::max(top, in(z)[at(i, j)]);
      const auto weight = [=](int64_t i, int64_t j) {
        return std::exp(gain * (in(z)[at(i, j)] - top));
      };
      for (int64_t i = 0; i < H; ++i)
        for (int64_t j = 0; j < W; ++j) sum += weight(i, j);
      const Moments m = moments_of(H, W, sum, weight);
      for (int axis = 0; axis < 2; ++axis) {
        point.data<double>()[(n * K + k) * 2 + axis] = m.point[axis];
        variance.data<double>()[(n * K + k) * 2 + axis] = m.variance[axis];
      }
    }
  return {point, variance};
}

Tensors forward(const Tensor& z, double gain) {
  const Shape per_point{z.dim(0), z.dim(3), 2};
  Tensors out{z.empty_like(per_point), z.empty_like(per_point), z.empty_like(per_point)};
  soft_argmax(z, gain, out[0], out[1], out[2]);
  return out;
}

Case argmax_case(const Tensor& z, double gain, const char* what = "") {
  Case c;
  c.label = text("logits=", z.shape(), " gain=", gain, what);
  c.inputs = {z};
  c.formula = [=](const Tensors& x) { return formula(x[0], gain); };
  c.forward = [=](const Tensors& x) {
    Tensors out = forward(x[0], gain);
    out.pop_back();
    return out;
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dout) {
    const Tensors saved = forward(x[0], gain);
    Tensor dz = x[0].empty_like();
    soft_argmax_backward(x[0], saved[0], saved[1], saved[2], dout[0], dout[1], gain, dz);
    return Tensors{dz};
  };
  return c;
}

// One pixel stands out by so much that the variance is a small fraction of a pixel.
Tensor peaked(const Shape& shape) {
  Tensor z = normal(shape, 5, 0.1);
  const int64_t pixels = shape[1] * shape[2], K = shape[3];
  for (int64_t n = 0; n < shape[0]; ++n)
    for (int64_t k = 0; k < K; ++k)
      z.data<double>()[(n * pixels + (k * 37 + n) % pixels) * K + k] = 14;
  return z;
}

// Logits of the order of 1e4; in every channel two pixels share the top.
Tensor huge(const Shape& shape) {
  Tensor z = normal(shape, 1, 1e4);
  const int64_t pixels = shape[1] * shape[2], K = shape[3];
  for (int64_t n = 0; n < shape[0]; ++n)
    for (int64_t k = 0; k < K; ++k)
      for (int64_t u : {k, pixels - 1}) z.data<double>()[(n * pixels + u) * K + k] = 1e5;
  return z;
}

Case huge_case() {
  Case c = argmax_case(huge({2, 9, 8, 5}), 1, " huge");
  c.differences = false;  // 1e5 leaves no digits for them
  return c;
}

Case peaked_case() {
  Case c = argmax_case(peaked({2, 40, 30, 4}), 1, " peaked");
  c.gradient_tolerance = 1e-4;  // (x_u-x)^2 - vx cancels where all the weight is
  return c;
}

const bool added =
    add_row({"soft_argmax",
             {argmax_case(normal({1, 1, 1, 1}, 1), 1), argmax_case(normal({0, 4, 4, 3}, 1), 1),
              argmax_case(normal({2, 7, 5, 3}, 1), 1), argmax_case(normal({1, 33, 17, 16}, 1), 5),
              argmax_case(normal({2, 3, 4, 65}, 1), 1), argmax_case(normal({1, 130, 97, 6}, 1), 1),
              argmax_case(normal({1, 5, 7, 4}, 1), 50),
              argmax_case(zeros64({2, 6, 5, 3}), 1, " dead"), huge_case(), peaked_case()},
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
