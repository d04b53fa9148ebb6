// upsample_nearest: every pixel becomes a square.
#include "kernels/pool/upsample_nearest.h"

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case upsample_case(const Shape& s, int factor) {
  Case c;
  c.label = text("x=", s, " factor=", factor);
  c.inputs = {normal(s, 1)};
  c.bf16_tolerance = 0x1p-8;  // the sums of dy are rounded by 2^-9
  const Shape larger{s[0], s[1] * factor, s[2] * factor, s[3]};
  c.formula = [=](const Tensors& x) {
    Tensor y = zeros64(larger);
    for (int64_t at = 0; at < y.count(); ++at) {
      const int64_t k = at % s[3], j = at / s[3] % larger[2], i = at / s[3] / larger[2] % larger[1];
      const int64_t n = at / s[3] / larger[2] / larger[1];
      y.data<double>()[at] = in(x[0])[((n * s[1] + i / factor) * s[2] + j / factor) * s[3] + k];
    }
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like(larger);
    upsample_nearest(x[0], factor, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dy) {
    Tensor dx = x[0].empty_like();
    upsample_nearest_backward(dy[0], factor, dx);
    return Tensors{dx};
  };
  return c;
}

const bool added = add_row({"upsample_nearest",
                            {upsample_case({1, 1, 1, 1}, 2), upsample_case({0, 3, 4, 8}, 2),
                             upsample_case({2, 3, 5, 7}, 2), upsample_case({2, 4, 4, 64}, 2),
                             upsample_case({1, 17, 33, 12}, 2), upsample_case({1, 5, 3, 5}, 3),
                             upsample_case({1, 2, 3, 4}, 8), upsample_case({2, 3, 3, 2}, 1)}});

}  // namespace
}  // namespace cairn::conformance
