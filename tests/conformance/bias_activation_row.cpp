// bias_activation: y = act(x + bias).
#include "kernels/elementwise/bias_activation.h"

#include <algorithm>
#include <cmath>

#include "kernels/activation.h"
#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

constexpr float slope = 0.125f;

double formula_of(Activation act, double z) {
  switch (act) {
    case Activation::none:
      return z;
    case Activation::relu:
      return std::max(z, 0.0);
    case Activation::leaky_relu:
      return z > 0 ? z : slope * z;
    case Activation::relu6:
      return std::clamp(z, 0.0, 6.0);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-z));
    case Activation::softplus:
      return z > 30 ? z : std::log1p(std::exp(z));
  }
  return z;
}

Case with_inputs(Activation act, Tensors inputs) {
  Case c;
  const bool biased = inputs.size() == 2;
  c.label = text("x=", inputs[0].shape(), biased ? " bias" : "", " act=", int(act));
  c.inputs = std::move(inputs);
  c.formula = [act](const Tensors& in64) {
    Tensor y = zeros64(in64[0].shape());
    const int64_t C = y.dim(-1);
    for (int64_t i = 0; i < y.count(); ++i)
      y.data<double>()[i] =
          formula_of(act, in(in64[0])[i] + (in64.size() == 2 ? in(in64[1])[i % C] : 0));
    return Tensors{y};
  };
  // Rounding y or dx: 2^-9 of it. The derivatives of curved ones are 2^-9 off with y, of 1/4 at
  // most (sigmoid); so is then the sum of dx, which has the allowance of float32.
  c.bf16_tolerance = !is_curved(act) ? 0x1p-8 : biased ? 0 : 6 * 0x1p-9;
  c.forward = [act](const Tensors& x) {
    Tensor y = x[0].empty_like(), bias;
    if (x.size() == 2) bias = as_parameter(x[1]);
    bias_activation(x[0], bias.defined() ? &bias : nullptr, act, slope, y);
    return Tensors{y};
  };
  c.backward = [act](const Tensors& x, const Tensors& y, const Tensors& dy) {
    Tensors d{x[0].empty_like()};
    if (x.size() == 2) d.push_back(as_parameter(x[1]).empty_like());
    bias_activation_backward(y[0], dy[0], act, slope, &d[0], x.size() == 2 ? &d[1] : nullptr);
    return d;
  };
  return c;
}

Case drawn(Activation act, const Shape& shape, bool biased) {
  Tensors inputs{normal(shape, 1, 4)};
  if (biased) inputs.push_back(normal({shape[-1]}, 2));
  return with_inputs(act, std::move(inputs));
}

// Only the bias's gradient, as a layer whose input wants none asks for it.
Case bias_alone(const Shape& shape) {
  Case c = drawn(Activation::relu, shape, true);
  c.label += " dbias alone";
  c.backward = [](const Tensors& x, const Tensors& y, const Tensors& dy) {
    Tensors d{Tensor(), as_parameter(x[1]).empty_like()};
    bias_activation_backward(y[0], dy[0], Activation::relu, slope, nullptr, &d[1]);
    return d;
  };
  return c;
}

Case extreme(Activation act) {
  Case c = with_inputs(
      act, {Tensor::from<double>({4, 2}, {-1e30, 1e30, -1e4, 1e4, -100, 100, -0.0, 1e-30}),
            Tensor::from<double>({2}, {0, 0})});
  c.label += " extreme";
  c.differences = false;
  return c;
}

Row row() {
  Row r{"bias_activation", {}};
  for (Activation act : {Activation::none, Activation::relu, Activation::leaky_relu,
                         Activation::relu6, Activation::sigmoid, Activation::softplus}) {
    r.cases.push_back(drawn(act, {2, 3, 5, 7}, true));
    r.cases.push_back(drawn(act, {3, 33}, false));
    r.cases.push_back(extreme(act));
  }
  for (const Shape& shape :
       {Shape{1}, Shape{1, 1, 1, 1}, Shape{0, 4, 4, 8}, Shape{5, 64}, Shape{1037, 4},
        Shape{2, 33, 65, 12}, Shape{3, 1, 1, 260}, Shape{1, 20, 40, 65}, Shape{4099, 1}}) {
    r.cases.push_back(drawn(Activation::relu, shape, true));
    r.cases.push_back(drawn(Activation::relu, shape, false));
  }
  r.cases.push_back(bias_alone({2, 9, 11, 36}));
  return r;
}

const bool added = add_row(row());

}  // namespace
}  // namespace cairn::conformance
