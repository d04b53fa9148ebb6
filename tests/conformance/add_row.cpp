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

// Rows `from` on of larger tensors, which need not begin where vectors do.
Case add_views_case(const Shape& shape, int64_t from) {
  Case c = add_case(shape);
  c.label += text(" from row ", from);
  c.formula = [from, whole = c.formula](const Tensors& x) {
    return Tensors{whole(x)[0].rows(from, x[0].dim(0))};
  };
  c.forward = [from](const Tensors& x) {
    Tensor y = x[0].empty_like(), end = y.rows(from, y.dim(0));
    add(x[0].rows(from, x[0].dim(0)), x[1].rows(from, x[1].dim(0)), end);
    return Tensors{end};
  };
  return c;
}

const bool added =
    add_row({"add",
             {add_case({1}), add_case({0, 4}), add_case({3, 5, 7}), add_case({70001}),
              add_case({70000}), add_views_case({5, 7}, 1), add_views_case({5, 8}, 2)}});

}  // namespace
}  // namespace cairn::conformance
