// rmsprop: one step from random state, against PyTorch's formulas.
#include <cmath>

#include "kernels/optimizer/rmsprop.h"
#include "runtime/error.h"
#include "tests/conformance/optimizer_inputs.h"

namespace cairn::conformance {
namespace {

// inputs: grads, scales, grad_scale, lr, values, square_avg, momentum_buffer
Case rmsprop_case(int64_t chunks, const RmspropOptions& o) {
  const Shape n{chunks * flat_chunk};
  Case c;
  c.label = text("chunks=", chunks, " decay=", o.weight_decay, " momentum=", o.momentum);
  c.inputs = {normal(n, 1),
              scales(chunks),
              uniform({1}, 2, 0.3, 0.9),
              uniform({1}, 7, 1e-3, 0.1),
              normal(n, 3),
              uniform(n, 4, 0, 2),
              normal(n, 5)};
  c.formula = [o](const Tensors& x) {
    Tensors y = {x[4].clone(), x[5].clone(), x[6].clone()};
    for_active(x[1], [&](int64_t i, double lr_scale, double decay_scale) {
      double &value = y[0].data<double>()[i], &s = y[1].data<double>()[i];
      const double g = in(x[2])[0] * in(x[0])[i] + o.weight_decay * decay_scale * value;
      s = o.alpha * s + (1 - o.alpha) * g * g;
      double u = g / (std::sqrt(s) + o.eps);
      if (o.momentum > 0) {
        double& b = y[2].data<double>()[i];
        u = b = o.momentum * b + u;
      }
      value -= in(x[3])[0] * lr_scale * u;
    });
    return y;
  };
  c.forward = [o](const Tensors& x) {
    Tensors y = {x[4].clone(), x[5].clone(), x[6].clone()};
    Tensor none;
    rmsprop(x[0], f32(x[1]), x[2], x[3], o, y[0], y[1], o.momentum > 0 ? y[2] : none);
    return y;
  };
  return c;
}

const bool added =
    add_row({"rmsprop",
             {rmsprop_case(0, {}), rmsprop_case(1, {}), rmsprop_case(7, {.weight_decay = 0.1}),
              rmsprop_case(700, {.alpha = 0.9, .eps = 1e-3, .momentum = 0.9})}});
}  // namespace
}  // namespace cairn::conformance
