// grouped_linear: a linear map for each group, one bias for all.
#include "kernels/gemm/grouped_linear.h"

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Tensor formula(const Tensors& t) {
  const int64_t N = t[0].dim(0), K = t[0].dim(1), I = t[0].dim(2), O = t[1].dim(1);
  Tensor y = zeros64({N, K, O});
  double* out = y.data<double>();
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k)
      for (int64_t o = 0; o < O; ++o, ++out) {
        if (t.size() > 2) *out = in(t[2])[o];
        for (int64_t i = 0; i < I; ++i)
          *out += in(t[1])[(k * O + o) * I + i] * in(t[0])[(n * K + k) * I + i];
      }
  return y;
}

Case linear_case(int64_t N, int64_t K, int64_t I, int64_t O, bool with_bias = true) {
  Case c;
  c.label = text("x=", Shape{N, K, I}, " O=", O, with_bias ? "" : " without bias");
  c.inputs = {normal({N, K, I}, 1), normal({K, O, I}, 2)};
  if (with_bias) c.inputs.push_back(normal({O}, 3));
  c.formula = [](const Tensors& t) { return Tensors{formula(t)}; };
  c.forward = [=](const Tensors& t) {
    Tensor y = t[0].empty_like({N, K, O});
    grouped_linear(t[0], t[1], with_bias ? &t[2] : nullptr, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& t, const Tensors&, const Tensors& dout) {
    Tensors grads;
    for (const Tensor& input : t) grads.push_back(input.empty_like());
    grouped_linear_backward(t[0], t[1], dout[0], &grads[0], &grads[1],
                            with_bias ? &grads[2] : nullptr);
    return grads;
  };
  return c;
}

Case large() {
  Case c = linear_case(64, 31, 64, 64);
  c.large = true;
  return c;
}

const bool added =
    add_row({"grouped_linear",
             {linear_case(1, 1, 1, 1), linear_case(0, 3, 5, 2), linear_case(3, 1, 7, 5),
              linear_case(5, 3, 9, 4, false), linear_case(16, 11, 64, 8),
              linear_case(16, 11, 8, 64), linear_case(37, 2, 33, 65), large()}});

}  // namespace
}  // namespace cairn::conformance
