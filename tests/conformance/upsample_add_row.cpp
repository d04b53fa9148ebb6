// upsample_add: a map doubled in size and added to another.
#include "kernels/pool/upsample_add.h"

#include "kernels/pool/upsample_nearest.h"
#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case upsample_add_case(const Shape& s) {
  Case c;
  c.label = text("low=", s);
  const Shape larger{s[0], 2 * s[1], 2 * s[2], s[3]};
  c.inputs = {normal(larger, 1), normal(s, 2)};
  c.bf16_tolerance = 0x1p-8;  // rounding: 2^-9
  c.formula = [=](const Tensors& x) {
    Tensor y = zeros64(larger);
    for (int64_t at = 0; at < y.count(); ++at) {
      const int64_t k = at % s[3], j = at / s[3] % larger[2], i = at / s[3] / larger[2] % larger[1];
      const int64_t n = at / s[3] / larger[2] / larger[1];
      y.data<double>()[at] =
          in(x[0])[at] + in(x[1])[((n * s[1] + i / 2) * s[2] + j / 2) * s[3] + k];
    }
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like();
    upsample_add(x[0], x[1], y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dy) {
    Tensor dlow = x[1].empty_like();
    upsample_nearest_backward(dy[0], 2, dlow);
    return Tensors{dy[0], dlow};
  };
  return c;
}

const bool added = add_row({"upsample_add",
                            {upsample_add_case({1, 1, 1, 1}), upsample_add_case({0, 3, 4, 8}),
                             upsample_add_case({2, 3, 5, 7}), upsample_add_case({2, 4, 4, 64}),
                             upsample_add_case({1, 17, 33, 12}), upsample_add_case({2, 3, 3, 2})}});

}  // namespace
}  // namespace cairn::conformance
