// scale: y = factor x.
#include "kernels/elementwise/scale.h"

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case scale_case(const Shape& shape, double factor) {
  Case c;
  c.label = text("x=", shape, " factor=", factor);
  c.inputs = {normal(shape, 1)};
  c.formula = [factor](const Tensors& x) {
    Tensor y = zeros64(x[0].shape());
    for (int64_t i = 0; i < y.count(); ++i) y.data<double>()[i] = factor * in(x[0])[i];
    return Tensors{y};
  };
  c.forward = [factor](const Tensors& x) {
    Tensor y = x[0].empty_like();
    scale(x[0], factor, y);
    return Tensors{y};
  };
  c.backward = [factor](const Tensors& x, const Tensors&, const Tensors& dy) {
    Tensor dx = x[0].empty_like();
    scale(dy[0], factor, dx);
    return Tensors{dx};
  };
  return c;
}

const bool added = add_row({"scale",
                            {scale_case({1}, 2), scale_case({0, 3}, 2), scale_case({3, 5, 7}, -0.3),
                             scale_case({70001}, 1e-20), scale_case({128}, 1e20)}});

}  // namespace
}  // namespace cairn::conformance
