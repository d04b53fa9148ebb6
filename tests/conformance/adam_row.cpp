// adam: one step from random state, against PyTorch's formulas.
#include <cmath>

#include "kernels/optimizer/adam.h"
#include "runtime/error.h"
#include "tests/conformance/optimizer_inputs.h"

namespace cairn::conformance {
namespace {

// inputs: grads, scales, grad_scale, lr, values, exp_avg, exp_avg_sq, steps
Case adam_case(int64_t chunks, const AdamOptions& o) {
  const Shape n{chunks * flat_chunk};
  Case c;
  c.label = text("chunks=", chunks, " decay=", o.weight_decay, " decoupled=", o.decoupled);
  c.inputs = {normal(n, 1), scales(chunks), uniform({1}, 2, 0.3, 0.9), uniform({1}, 7, 1e-3, 0.1),
              normal(n, 3), normal(n, 4),   uniform(n, 5, 0, 2),       indices({chunks}, 6, 0, 3)};
  c.formula = [o](const Tensors& x) {
    Tensors y = {x[4].clone(), x[5].clone(), x[6].clone(), x[7].clone()};
    for_active(x[1], [&](int64_t i, double lr_scale, double decay_scale) {
      double &value = y[0].data<double>()[i], &m = y[1].data<double>()[i];
      double& s = y[2].data<double>()[i];
      const double lr = in(x[3])[0] * lr_scale, decay = o.weight_decay * decay_scale;
      double g = in(x[2])[0] * in(x[0])[i];
      if (o.decoupled)
        value -= lr * decay * value;
      else
        g += decay * value;
      m = o.beta1 * m + (1 - o.beta1) * g;
      s = o.beta2 * s + (1 - o.beta2) * g * g;
      const int t = x[7].data<int32_t>()[i / flat_chunk] + 1;
      y[3].data<int32_t>()[i / flat_chunk] = t;
      const double m_hat = m / (1 - std::pow(o.beta1, t)), s_hat = s / (1 - std::pow(o.beta2, t));
      value -= lr * m_hat / (std::sqrt(s_hat) + o.eps);
    });
    return y;
  };
  c.forward = [o](const Tensors& x) {
    Tensors y = {x[4].clone(), x[5].clone(), x[6].clone(), x[7].clone()};
    adam(x[0], f32(x[1]), x[2], x[3], o, y[0], y[1], y[2], y[3]);
    return y;
  };
  return c;
}

const bool added =
    add_row({"adam",
             {adam_case(0, {}), adam_case(1, {}), adam_case(7, {.weight_decay = 0.1}),
              adam_case(7, {.weight_decay = 0.1, .decoupled = true}),
              adam_case(700, {.beta1 = 0, .beta2 = 0.95, .eps = 1e-4})}});
}  // namespace
}  // namespace cairn::conformance
