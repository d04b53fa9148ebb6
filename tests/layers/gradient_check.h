#pragma once
// Gradients of whole functions against central differences, in float64 on the cpu.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "layers/module.h"
#include "runtime/random.h"

namespace cairn {

inline Tensor normal64(const Shape& shape, uint64_t seed) {
  Tensor t = Tensor::empty(shape, DType::f64);
  Random random(seed, 7);
  for (int64_t i = 0; i < t.count(); ++i) t.data<double>()[i] = random.normal();
  return t;
}

inline double dot64(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.count(); ++i) sum += a.data<double>()[i] * b.data<double>()[i];
  return sum;
}

/// For y = f(x) with the given parameters: the slope of <w, y> along random directions of x
/// and of every parameter at once, against what backward says. `training`: batch statistics.
inline void expect_gradients(Parameters& parameters, const Tensor& x,
                             const std::function<Var(const Var&)>& f, bool training) {
  const auto forward = [&](Tape& tape, const Var& input) {
    tape.training = training;
    return f(input);
  };
  parameters.begin_step();
  Tape tape;
  const Var input = tape.leaf(x);
  const Var y = forward(tape, input);
  const Tensor w = normal64(y.shape(), 1);
  tape.backward(y, w);
  const auto value = [&](const Tensor& at) {
    Tape plain;  // recording, so that the same path runs
    return dot64(w, forward(plain, plain.constant(at)).value());
  };

  // Batch statistics move the running ones; they do not enter the output in training.
  const double h = 1e-6;
  for (uint64_t draw = 0; draw < 3; ++draw) {
    const Tensor vx = normal64(x.shape(), 10 + draw);
    Tensor vp = normal64(parameters.values().shape(), 20 + draw);
    const Tensor base = parameters.values().clone();
    const auto moved = [&](double step) {
      Tensor at = x.clone();
      for (int64_t i = 0; i < at.count(); ++i) at.data<double>()[i] += step * vx.data<double>()[i];
      double* p = parameters.values().data<double>();
      for (int64_t i = 0; i < vp.count(); ++i)
        p[i] = base.data<double>()[i] + step * vp.data<double>()[i];
      return value(at);
    };
    const double slope = (moved(h) - moved(-h)) / (2 * h);
    parameters.values().copy_from(base);
    double ours = dot64(input.grad(), vx);
    for (const Segment& s : parameters.segments()) {
      EXPECT_TRUE(s.parameter->touched) << s.name << " got no gradient";
      ours += dot64(s.parameter->grad.reshape({s.length}), vp.part(s.offset, {s.length}));
    }
    EXPECT_LE(std::abs(slope - ours) / std::max({1.0, std::abs(slope), std::abs(ours)}), 1e-6)
        << "slope " << slope << ", backward " << ours;
  }
}

}  // namespace cairn
