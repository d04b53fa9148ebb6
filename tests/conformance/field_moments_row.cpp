// field_moments: mean and variance of a field of places under distributions over the pixels.
#include "kernels/heatmap/field_moments.h"

#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Tensors formula(const Tensor& p, const Tensor& field) {
  const int64_t N = p.dim(0), pixels = p.dim(1) * p.dim(2), K = p.dim(3);
  Tensor mean = zeros64({N, K, 2}), variance = zeros64({N, K});
  for (int64_t map = 0; map < N * K; ++map) {
    const double* weight = in(p) + map / K * pixels * K + map % K;
    const double* place = in(field) + map / K * pixels * 2;
    double* m = mean.data<double>() + 2 * map;
    for (int64_t u = 0; u < pixels; ++u)
      for (int axis = 0; axis < 2; ++axis) m[axis] += weight[u * K] * place[2 * u + axis];
    for (int64_t u = 0; u < pixels; ++u)
      for (int axis = 0; axis < 2; ++axis) {
        const double d = place[2 * u + axis] - m[axis];
        variance.data<double>()[map] += weight[u * K] * d * d;
      }
  }
  return {mean, variance};
}

Tensors forward(const Tensor& p, const Tensor& field) {
  Tensors out{p.empty_like({p.dim(0), p.dim(3), 2}), p.empty_like({p.dim(0), p.dim(3)})};
  field_moments(p, field, out[0], out[1]);
  return out;
}

// Random maps in steps of 2^-20, so that each sums to 1 exactly.
Tensor distributions(const Shape& shape) {
  Tensor p = uniform(shape, 3, 0, 1);
  const int64_t pixels = shape[1] * shape[2], K = shape[3];
  for (int64_t map = 0; map < shape[0] * K; ++map) {
    double* own = p.data<double>() + map / K * pixels * K + map % K;
    double sum = 0;
    for (int64_t u = 0; u < pixels; ++u) sum += own[u * K];
    double left = 1;
    for (int64_t u = 0; u < pixels; ++u) {
      own[u * K] = std::ldexp(std::round(std::ldexp(own[u * K] / sum, 20)), -20);
      left -= own[u * K];
    }
    own[0] += left;
  }
  return p;
}

Case moments_case(const Tensor& p, const char* what = "") {
  Case c;
  c.label = text("p=", p.shape(), what);
  c.inputs = {p, uniform({p.dim(0), p.dim(1), p.dim(2), 2}, 4, -0.25, 1.25)};
  c.formula = [](const Tensors& x) { return formula(x[0], x[1]); };
  c.forward = [](const Tensors& x) { return forward(x[0], x[1]); };
  c.backward = [](const Tensors& x, const Tensors& out, const Tensors& dout) {
    Tensor dp = x[0].empty_like();
    field_moments_backward(x[1], out[0], dout[0], dout[1], dp);
    return Tensors{dp, Tensor()};
  };
  return c;
}

// All weight in one pixel, but for one map: the variance is zero up to rounding.
Case single_pixels() {
  Tensor p = zeros64({1, 40, 30, 3});
  for (int64_t k = 0; k < 3; ++k) p.data<double>()[(333 * k + 100) * 3 + k] = 1;
  p.data<double>()[300] = p.data<double>()[2000 * 3 / 2] = 0.5;
  return moments_case(p, " single pixels");
}

const bool added = add_row(
    {"field_moments",
     {moments_case(distributions({2, 1, 1, 3})), moments_case(distributions({0, 4, 4, 3})),
      moments_case(distributions({2, 7, 5, 3})), moments_case(distributions({1, 33, 17, 16})),
      moments_case(distributions({2, 3, 4, 65})), moments_case(distributions({1, 130, 97, 6})),
      single_pixels()}});

}  // namespace
}  // namespace cairn::conformance
