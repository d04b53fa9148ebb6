// spatial_softmax: one distribution over the pixels of every channel.
#include "kernels/heatmap/spatial_softmax.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Tensor formula(const Tensor& z, double gain) {
  Tensor h = zeros64(z.shape());
  const int64_t N = z.dim(0), P = z.dim(1) * z.dim(2), K = z.dim(3);
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k) {
      const auto at = [=](int64_t u) { return (n * P + u) * K + k; };
      double top = -1e300, sum = 0;
      for (int64_t u = 0; u < P; ++u) top = std::max(top, in(z)[at(u)]);
      for (int64_t u = 0; u < P; ++u) sum += std::exp(gain * (in(z)[at(u)] - top));
      for (int64_t u = 0; u < P; ++u)
        h.data<double>()[at(u)] = std::exp(gain * (in(z)[at(u)] - top)) / sum;
    }
  return h;
}

Case softmax_case(const Shape& shape, double gain) {
  Case c;
  c.label = text("z=", shape, " gain=", gain);
  c.inputs = {normal(shape, 1)};
  c.formula = [=](const Tensors& x) { return Tensors{formula(x[0], gain)}; };
  c.forward = [=](const Tensors& x) {
    Tensor h = x[0].empty_like();
    spatial_softmax(x[0], gain, h);
    return Tensors{h};
  };
  c.backward = [=](const Tensors& x, const Tensors& out, const Tensors& dout) {
    Tensor dz = x[0].empty_like();
    spatial_softmax_backward(out[0], dout[0], gain, dz);
    return Tensors{dz};
  };
  return c;
}

// Logits of the order of 1e4; in every channel two pixels share the top.
Case huge_logits() {
  Case c = softmax_case({2, 9, 8, 5}, 1);
  c.label = "huge logits";
  c.differences = false;  // 1e5 leaves no digits for them
  c.inputs = {normal({2, 9, 8, 5}, 1, 1e4)};
  double* z = c.inputs[0].data<double>();
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t k = 0; k < 5; ++k) z[(n * 72 + k) * 5 + k] = z[(n * 72 + 71) * 5 + k] = 1e5;
  return c;
}

Case dead_maps() {
  Case c = softmax_case({2, 6, 5, 3}, 1);
  c.label = "dead maps";
  c.inputs = {zeros64({2, 6, 5, 3})};
  return c;
}

const bool added = add_row(
    {"spatial_softmax",
     {softmax_case({1, 1, 1, 1}, 1), softmax_case({0, 4, 4, 3}, 1), softmax_case({2, 7, 5, 3}, 1),
      softmax_case({1, 33, 17, 16}, 5), softmax_case({2, 3, 4, 65}, 1),
      softmax_case({1, 130, 97, 6}, 1), softmax_case({1, 5, 7, 4}, 50), huge_logits(), dead_maps()},
     Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
