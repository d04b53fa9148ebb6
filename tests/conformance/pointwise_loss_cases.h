#pragma once
// The cases that every loss of single elements goes through: all weights, both means, odd sizes.
#include <cmath>
#include <functional>

#include "kernels/loss/pointwise_loss.h"
#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {

struct PointwiseLoss {
  std::function<double(double x, double target)> value;
  std::function<void(const Tensor& x, const Tensor& t, const Tensor& w, LossMean, Tensor& loss,
                     Tensor& factor)>
      forward;
  std::function<void(const Tensor& x, const Tensor& t, const Tensor& w, const Tensor& factor,
                     const Tensor& dloss, Tensor& dx)>
      backward;
  bool symmetric = true;  ///< the target has a gradient as well
  std::function<Tensor(const Shape&, uint64_t seed)> draw = [](const Shape& s, uint64_t seed) {
    return normal(s, seed);
  };
};

// inputs: x, target, and where there is one, weight; outputs: loss, factor
inline Case pointwise_case(const PointwiseLoss& l, const Shape& shape, const Tensor& weight,
                           LossMean mean) {
  const Tensor x = l.draw(shape, 1), target = l.draw(shape, 2);
  Case c;
  c.label = text("x=", shape, " weight=", weight.defined() ? text(weight.shape()) : "none",
                 mean == LossMean::weights ? " mean over weights" : "");
  c.inputs = weight.defined() ? Tensors{x, target, weight} : Tensors{x, target};
  const auto weight_of = [](const Tensors& in) { return in.size() > 2 ? in[2] : Tensor(); };
  c.formula = [=](const Tensors& x) {
    const Tensor w = weight_of(x);
    const int64_t channels = x[0].dim(-1),
                  sample = x[0].count() / std::max<int64_t>(x[0].dim(0), 1);
    double sum = 0, weights = 0;
    for (int64_t i = 0; i < x[0].count(); ++i) {
      double wi = 1;
      if (w.defined())
        wi = in(w)[w.shape() == x[0].shape() ? i : i / sample * channels + i % channels];
      sum += wi * l.value(in(x[0])[i], in(x[1])[i]);
      weights += wi;
    }
    const double divisor = mean == LossMean::weights ? weights : double(x[0].count());
    const double factor = divisor == 0 ? 0 : 1 / divisor;
    return Tensors{Tensor::full({1}, factor * sum, DType::f64),
                   Tensor::full({1}, factor, DType::f64)};
  };
  c.forward = [=](const Tensors& x) {
    Tensor loss = x[0].empty_like({1}), factor = x[0].empty_like({1});
    l.forward(x[0], x[1], weight_of(x), mean, loss, factor);
    return Tensors{loss, factor};
  };
  c.backward = [=](const Tensors& x, const Tensors& out, const Tensors& dout) {
    Tensor dx = x[0].empty_like(), dtarget = x[0].empty_like();
    l.backward(x[0], x[1], weight_of(x), out[1], dout[0], dx);
    if (!l.symmetric) return Tensors{dx, Tensor()};
    l.backward(x[1], x[0], weight_of(x), out[1], dout[0], dtarget);
    return Tensors{dx, dtarget};
  };
  return c;
}

inline Row pointwise_row(const char* op, const PointwiseLoss& l) {
  const Shape odd{3, 5, 7, 3}, large{2, 61, 83, 5};
  const Tensor none, zero = zeros64(odd);
  return {op,
          {pointwise_case(l, {1}, none, LossMean::elements),
           pointwise_case(l, {0, 4}, none, LossMean::elements),
           pointwise_case(l, odd, none, LossMean::weights),
           pointwise_case(l, odd, uniform(odd, 3, 0, 2), LossMean::elements),
           pointwise_case(l, odd, whole(odd, 3, 0, 1), LossMean::weights),
           pointwise_case(l, odd, uniform({3, 3}, 3, 0, 2), LossMean::elements),
           pointwise_case(l, odd, whole({3, 3}, 3, 0, 1), LossMean::weights),
           pointwise_case(l, odd, zero, LossMean::weights),
           pointwise_case(l, {4, 17}, uniform({4, 17}, 3, 0, 2), LossMean::elements),
           pointwise_case(l, large, none, LossMean::elements),
           pointwise_case(l, large, whole({2, 5}, 3, 0, 1), LossMean::weights)}};
}

}  // namespace cairn::conformance
