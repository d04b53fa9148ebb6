// batch_norm: y = gamma (x - mean) / sqrt(var + eps) + beta.
#include "kernels/norm/batch_norm.h"

#include <cmath>

#include "kernels/elementwise/add.h"
#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

const BatchNormOptions options{1e-3, 0.25};

constexpr float slope = 0.125f;

BatchNormOptions ending_in(Activation act) { return {options.eps, options.momentum, act, slope}; }

struct Moments {
  std::vector<double> mean, var;  // var biased
};

Moments moments(const Tensor& x) {
  const int64_t C = x.dim(-1), rows = x.count() / C;
  Moments m{std::vector<double>(C), std::vector<double>(C)};
  for (int64_t i = 0; i < x.count(); ++i) m.mean[i % C] += in(x)[i] / double(rows);
  for (int64_t i = 0; i < x.count(); ++i)
    m.var[i % C] += std::pow(in(x)[i] - m.mean[i % C], 2) / double(rows);
  return m;
}

// y, mean and invstd by the formula.
Tensors formula_of(const Tensors& x, const std::vector<double>& mean,
                   const std::vector<double>& var, Activation act = Activation::none) {
  const int64_t C = x[0].dim(-1);
  Tensor y = zeros64(x[0].shape()), m = zeros64({C}), s = zeros64({C});
  for (int64_t c = 0; c < C; ++c) {
    m.data<double>()[c] = mean[c];
    s.data<double>()[c] = 1 / std::sqrt(var[c] + options.eps);
  }
  for (int64_t i = 0; i < y.count(); ++i) {
    const int64_t c = i % C;
    double& to = y.data<double>()[i];
    to = in(x[1])[c] * (in(x[0])[i] - in(m)[c]) * in(s)[c] + in(x[2])[c];
    if (act != Activation::none && to < 0) to *= act == Activation::leaky_relu ? slope : 0;
    if (act == Activation::relu6) to = std::min(to, 6.0);
  }
  return {y, m, s};
}

// Runs the op; returns y, mean, invstd, running_mean, running_var.
Tensors run(const Tensors& x, Statistics statistics, Activation act = Activation::none) {
  const Tensor gamma = as_parameter(x[1]), beta = as_parameter(x[2]);
  Tensor y = x[0].empty_like(), mean = gamma.empty_like(), invstd = gamma.empty_like();
  Tensor rm = as_parameter(x[3]).clone(), rv = as_parameter(x[4]).clone();
  if (statistics == Statistics::batch)
    batch_norm_training(x[0], gamma, beta, ending_in(act), rm, rv, mean, invstd, y);
  else
    batch_norm_evaluation(x[0], gamma, beta, ending_in(act), rm, rv, mean, invstd, y);
  return {y, mean, invstd, rm, rv};
}

Tensors drawn(const Shape& shape, double offset = 0) {
  const int64_t C = shape[-1];
  Tensor x = normal(shape, 1);
  for (int64_t i = 0; i < x.count(); ++i)
    x.data<double>()[i] = float(x.data<double>()[i] + offset * double(i % C + 1));
  return {x, normal({C}, 2), normal({C}, 3), normal({C}, 4), uniform({C}, 5, 0.5, 2)};
}

Case gradient_case(Tensors inputs, Statistics statistics, Activation act = Activation::none) {
  Case c;
  c.label = text("x=", inputs[0].shape(), statistics == Statistics::batch ? " batch" : " running",
                 " activation=", int(act));
  c.inputs = std::move(inputs);
  c.bf16_tolerance = 4 * 0x1p-9;  // 2^-9 for each rounding: of both parts of dx, and of their sum
  c.differences = c.inputs[0].count() < 20000;  // beyond, the sums' rounding drowns a slope of 1e-6
  c.formula = [=](const Tensors& x) {
    Moments m;
    if (statistics == Statistics::batch)
      m = moments(x[0]);
    else
      m = {x[3].values<double>(), x[4].values<double>()};
    const Tensor y = formula_of(x, m.mean, m.var, act)[0];
    return Tensors{y, y};
  };
  // The second is computed again, from what the first left.
  c.forward = [=](const Tensors& x) {
    const Tensors saved = run(x, statistics, act);
    Tensor again = x[0].empty_like();
    batch_norm_apply(x[0], as_parameter(x[1]), as_parameter(x[2]), saved[1], saved[2], act, slope,
                     again);
    return Tensors{saved[0], again};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dy) {
    const Tensors saved = run(x, statistics);
    const Tensor gamma = as_parameter(x[1]), beta = as_parameter(x[2]);
    const auto from = [&](const Tensor& upstream) {
      Tensors d{x[0].empty_like(), gamma.empty_like(), gamma.empty_like()};
      batch_norm_backward(x[0], upstream, gamma, beta, saved[1], saved[2], act, slope, statistics,
                          &d[0], d[1], d[2]);
      return d;
    };
    Tensors sum = from(dy[0]);  // not of the sum of both: bf16 would round it
    const Tensors more = from(dy[1]);
    for (size_t i = 0; i < sum.size(); ++i) accumulate(more[i], sum[i]);
    return sum;
  };
  return c;
}

// The statistics that training leaves behind.
Case statistics_case(Tensors inputs) {
  Case c;
  c.label = text("x=", inputs[0].shape(), " statistics");
  c.inputs = std::move(inputs);
  c.bf16_tolerance = 0x1p-8;  // rounding y: 2^-9 of it
  c.formula = [](const Tensors& x) {
    const Moments now = moments(x[0]);
    const int64_t C = x[0].dim(-1), rows = x[0].count() / C;
    Tensors out = formula_of(x, now.mean, now.var);
    out.push_back(x[3].clone());
    out.push_back(x[4].clone());
    for (int64_t c = 0; rows > 0 && c < C; ++c) {
      const double unbiased = now.var[c] * double(rows) / double(std::max<int64_t>(rows - 1, 1));
      out[3].data<double>()[c] = 0.75 * in(x[3])[c] + 0.25 * now.mean[c];
      out[4].data<double>()[c] = 0.75 * in(x[4])[c] + 0.25 * unbiased;
    }
    return out;
  };
  c.forward = [](const Tensors& x) { return run(x, Statistics::batch); };
  return c;
}

// A standard deviation of 1 beside a mean in the thousands: float32 holds the mean, and so y, to
// 4000 * 2^-24 of a standard deviation; sums of squares without a shift would lose everything.
Case far_from_zero() {
  Case c = statistics_case(drawn({9, 31, 4}, 1000));
  c.label += " mean in the thousands";
  c.bf16_tolerance = 0;  // where it holds less than that deviation
  c.tolerance = 4000 * 0x1p-23;
  return c;
}

Row row() {
  Row r{"batch_norm", {far_from_zero()}};
  for (const Shape& shape :
       {Shape{0, 3, 3, 8}, Shape{5, 1}, Shape{1, 3, 2, 3}, Shape{3, 5, 7, 33}, Shape{2, 24, 36, 4},
        Shape{2, 31, 33, 64}, Shape{13, 260}, Shape{5003, 1}}) {
    r.cases.push_back(statistics_case(drawn(shape)));
    r.cases.push_back(gradient_case(drawn(shape), Statistics::batch));
    r.cases.push_back(gradient_case(drawn(shape), Statistics::running));
  }
  for (const Shape& shape : {Shape{3, 5, 7, 3}, Shape{2, 7, 9, 8}}) {
    Tensors x = drawn(shape);
    for (Activation act : {Activation::relu, Activation::leaky_relu, Activation::relu6}) {
      for (int64_t c = 0; act == Activation::relu6 && c < shape[-1]; ++c)
        x[1].data<double>()[c] *= 4;  // so that some pass 6
      r.cases.push_back(gradient_case(x, Statistics::batch, act));
      r.cases.push_back(gradient_case(x, Statistics::running, act));
    }
  }
  Tensors constant = drawn({4, 5, 3});
  constant[0].fill(7);
  r.cases.push_back(statistics_case(constant));
  r.cases.push_back(statistics_case(drawn({1, 5})));
  r.cases.push_back(statistics_case(drawn({2, 3})));
  return r;
}

const bool added = add_row(row());

}  // namespace
}  // namespace cairn::conformance
