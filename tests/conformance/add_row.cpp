// add: y = a + b.
#include "kernels/elementwise/add.h"
#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case add_case(const Shape& shape) {
  Case c;
  c.label = text("a=", shape);
  c.inputs = {normal(shape, 1), normal(shape, 2)};
  c.bf16_tolerance = 0x1p-8;  // rounding: 2^-9
  c.formula = [](const Tensors& x) {
    Tensor y = zeros64(x[0].shape());
    for (int64_t i = 0; i < y.count(); ++i) y.data<double>()[i] = in(x[0])[i] + in(x[1])[i];
    return Tensors{y};
  };
  c.forward = [](const Tensors& x) {
    Tensor y = x[0].empty_like();
    add(x[0], x[1], y);
    return Tensors{y};
  };
  return c;
}

const bool added =
    add_row({"add", {add_case({1}), add_case({0, 4}), add_case({3, 5, 7}), add_case({70001})}});

}  // namespace
}  // namespace cairn::conformance
