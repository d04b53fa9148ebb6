// softmax_cross_entropy: the weighted mean of -log softmax(logits)[label].
#include "kernels/loss/softmax_cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

double weight_of(const Tensors& x, int64_t cell) {
  if (x.size() < 3) return 1;
  return x[2].dtype() == DType::u8 ? x[2].data<uint8_t>()[cell] : in(x[2])[cell];
}

Tensors formula_of(const Tensors& x) {
  const int64_t C = x[0].dim(-1);
  double sum = 0, total = 0;
  for (int64_t r = 0; r < x[1].count(); ++r) {
    const double w = weight_of(x, r), *from = in(x[0]) + r * C;
    if (w == 0) continue;
    const int32_t label = x[1].data<int32_t>()[r];
    const double top = *std::max_element(from, from + C);
    double e = 0;
    for (int64_t k = 0; k < C; ++k) e += std::exp(from[k] - top);
    sum += label < 0 || label >= C ? std::nan("") : w * (top + std::log(e) - from[label]);
    total += w;
  }
  Tensor loss = zeros64(Shape{});
  loss.data<double>()[0] = total == 0 ? 0 : sum / total;
  return {loss};
}

struct Saved {
  Tensor log_sum, total, loss;
};

Saved run(const Tensors& x) {
  std::vector<int64_t> pairs(x[0].shape().begin(), x[0].shape().end());
  pairs.back() = 2;
  Saved s{x[0].empty_like(Shape(pairs)), x[0].empty_like(Shape{1}), x[0].empty_like(Shape{})};
  softmax_cross_entropy(x[0], x[1], x.size() > 2 ? &x[2] : nullptr, s.log_sum, s.total, s.loss);
  return s;
}

Case with_inputs(const char* what, Tensors inputs) {
  Case c;
  c.label = text("logits=", inputs[0].shape(), " ", what);
  c.inputs = std::move(inputs);
  c.formula = formula_of;
  c.forward = [](const Tensors& x) { return Tensors{run(x).loss}; };
  c.backward = [](const Tensors& x, const Tensors&, const Tensors& dy) {
    const Saved s = run(x);
    Tensor dx = x[0].empty_like();
    softmax_cross_entropy_backward(x[0], x[1], x.size() > 2 ? &x[2] : nullptr, s.log_sum, s.total,
                                   dy[0], dx);
    return Tensors{dx};
  };
  return c;
}

// Random logits [cells..., C] and labels.
Tensors drawn(const Shape& cells, int C) {
  std::vector<int64_t> shape(cells.begin(), cells.end());
  shape.push_back(C);
  return {normal(Shape(shape), 1, 3), indices(cells, 2, 0, C - 1)};
}

Tensors masked(Tensors inputs, const Tensor& valid) {
  inputs.push_back(valid);
  return inputs;
}

// What lies in cells that do not count must not be read as numbers.
Case rubbish_in_masked_cells() {
  Tensors x = drawn({4}, 5);
  x.push_back(Tensor::from<uint8_t>({4}, {1, 0, 1, 0}));
  std::fill_n(x[0].data<double>() + 5, 5, NAN);
  x[1].data<int32_t>()[1] = -100;
  x[1].data<int32_t>()[3] = 5;
  Case c = with_inputs("rubbish in masked cells", x);
  c.differences = false;
  return c;
}

Case bad_label() {
  Tensors x = drawn({3}, 5);
  x[1].data<int32_t>()[1] = 5;
  Case c = with_inputs("label out of range", x);
  c.backward = nullptr;
  return c;
}

Case extreme() {
  Case c = with_inputs(
      "extreme", {Tensor::from<double>({3, 3}, {1e4, -1e4, 0, 1e4, -1e4, 0, -3e4, -3e4, -3e4}),
                  Tensor::from<int32_t>({3}, {0, 1, 2})});
  c.differences = false;
  return c;
}

// 65 logits of 0 but for the label's 10: superpoint's golden value 0.00290138.
Case confident() {
  Tensors x{zeros64({2, 65}), Tensor::from<int32_t>({2}, {64, 3})};
  x[0].data<double>()[64] = x[0].data<double>()[65 + 3] = 10;
  return with_inputs("confident", x);
}

const bool added =
    add_row({"softmax_cross_entropy",
             {with_inputs("all", drawn({1}, 1)), with_inputs("all", drawn({0, 4}, 65)),
              with_inputs("all", drawn({2, 3, 5}, 7)), with_inputs("all", drawn({4, 15, 20}, 65)),
              with_inputs("u8", masked(drawn({2, 15, 20}, 65),
                                       indices({2, 15, 20}, 3, 0, 1).to(DType::u8))),
              with_inputs("weights", masked(drawn({37}, 33), uniform({37}, 3, 0, 2))),
              with_inputs("none valid", masked(drawn({2, 9}, 5), Tensor::zeros({2, 9}, DType::u8))),
              rubbish_in_masked_cells(), bad_label(), extreme(), confident()}});

}  // namespace
}  // namespace cairn::conformance
