// distance: mean of w l(|x - target|), quadratic below beta and linear above.
#include "kernels/loss/distance.h"

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

// inputs: x, target, and where there is one, weight; outputs: loss, factor
Case distance_case(const Shape& shape, const Tensor& weight, double beta) {
  Case c;
  c.label = text("x=", shape, weight.defined() ? " weighted" : "", " beta=", beta);
  c.inputs = {normal(shape, 1), normal(shape, 2)};
  if (weight.defined()) c.inputs.push_back(weight);
  const auto weight_of = [](const Tensors& x) { return x.size() > 2 ? x[2] : Tensor(); };
  c.formula = [=](const Tensors& x) {
    const Tensor w = weight_of(x);
    double sum = 0, weights = 0;
    for (int64_t i = 0; i < x[0].count() / 2; ++i) {
      const double d =
          std::hypot(in(x[0])[2 * i] - in(x[1])[2 * i], in(x[0])[2 * i + 1] - in(x[1])[2 * i + 1]);
      const double wi = w.defined() ? in(w)[i] : 1;
      sum += wi * (d < beta ? d * d / (2 * beta) : d - beta / 2);
      weights += wi;
    }
    const double factor = weights == 0 ? 0 : 1 / weights;
    return Tensors{Tensor::full({1}, factor * sum, DType::f64),
                   Tensor::full({1}, factor, DType::f64)};
  };
  c.forward = [=](const Tensors& x) {
    Tensor loss = x[0].empty_like({1}), factor = x[0].empty_like({1});
    distance(x[0], x[1], weight_of(x), beta, loss, factor);
    return Tensors{loss, factor};
  };
  c.backward = [=](const Tensors& x, const Tensors& out, const Tensors& dout) {
    Tensor dx = x[0].empty_like(), dtarget = x[0].empty_like();
    distance_backward(x[0], x[1], weight_of(x), beta, out[1], dout[0], dx);
    distance_backward(x[1], x[0], weight_of(x), beta, out[1], dout[0], dtarget);
    return Tensors{dx, dtarget};
  };
  return c;
}

Case without_any_error() {
  Case c = distance_case({3, 2}, Tensor(), 0);
  c.label += " x=target";
  c.inputs[1] = c.inputs[0];
  c.differences = false;  // a kink
  return c;
}

const bool added = add_row(
    {"distance",
     {distance_case({1, 2}, Tensor(), 0), distance_case({0, 4, 2}, Tensor(), 0),
      distance_case({3, 7, 2}, Tensor(), 1), distance_case({3, 7, 2}, whole({3, 7}, 3, 0, 1), 0),
      distance_case({3, 7, 2}, zeros64({3, 7}), 1),
      distance_case({2, 33, 31, 5, 2}, uniform({2, 33, 31, 5}, 3, 0, 2), 1), without_any_error()}});

}  // namespace
}  // namespace cairn::conformance
