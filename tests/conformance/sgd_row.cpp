// sgd: one step from random state, against PyTorch's formulas.
#include "kernels/optimizer/sgd.h"
#include "runtime/error.h"
#include "tests/conformance/optimizer_inputs.h"

namespace cairn::conformance {
namespace {

// inputs: grads, scales, grad_scale, lr, values, momentum_buffer
Case sgd_case(int64_t chunks, const SgdOptions& o) {
  const Shape n{chunks * flat_chunk};
  Case c;
  c.label = text("chunks=", chunks, " decay=", o.weight_decay, " momentum=", o.momentum,
                 " nesterov=", o.nesterov);
  c.inputs = {normal(n, 1), scales(chunks), uniform({1}, 2, 0.3, 0.9), uniform({1}, 7, 1e-3, 0.1),
              normal(n, 3), normal(n, 4)};
  c.formula = [o](const Tensors& x) {
    Tensors y = {x[4].clone(), x[5].clone()};
    for_active(x[1], [&](int64_t i, double lr_scale, double decay_scale) {
      double& value = y[0].data<double>()[i];
      double u = in(x[2])[0] * in(x[0])[i] + o.weight_decay * decay_scale * value;
      if (o.momentum > 0) {
        double& b = y[1].data<double>()[i];
        b = o.momentum * b + u;
        u = o.nesterov ? u + o.momentum * b : b;
      }
      value -= in(x[3])[0] * lr_scale * u;
    });
    return y;
  };
  c.forward = [o](const Tensors& x) {
    Tensors y = {x[4].clone(), x[5].clone()};
    Tensor none;
    sgd(x[0], f32(x[1]), x[2], x[3], o, y[0], o.momentum > 0 ? y[1] : none);
    return y;
  };
  return c;
}

const bool added =
    add_row({"sgd",
             {sgd_case(0, {}), sgd_case(1, {}), sgd_case(7, {.weight_decay = 0.1}),
              sgd_case(7, {.momentum = 0.9}),
              sgd_case(700, {.momentum = 0.9, .weight_decay = 0.1, .nesterov = true})}});
}  // namespace
}  // namespace cairn::conformance
