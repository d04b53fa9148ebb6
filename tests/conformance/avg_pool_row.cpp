// avg_pool: the mean of every block of pixels.
#include "kernels/pool/avg_pool.h"

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

// `s` is the shape of y.
Case pool_case(const Shape& s, const PoolBlock& block) {
  Case c;
  const Shape larger{s[0], s[1] * block.height, s[2] * block.width, s[3]};
  c.label = text("x=", larger, " block=", block.height, "x", block.width);
  c.inputs = {normal(larger, 1)};
  c.bf16_tolerance = 0x1p-8;  // rounding: 2^-9
  c.formula = [=](const Tensors& x) {
    Tensor y = zeros64(s);
    for (int64_t at = 0; at < larger.count(); ++at) {
      const int64_t k = at % s[3], j = at / s[3] % larger[2], i = at / s[3] / larger[2] % larger[1];
      const int64_t n = at / s[3] / larger[2] / larger[1];
      y.data<double>()[((n * s[1] + i / block.height) * s[2] + j / block.width) * s[3] + k] +=
          in(x[0])[at] / (block.height * block.width);
    }
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like(s);
    avg_pool(x[0], block, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dy) {
    Tensor dx = x[0].empty_like();
    avg_pool_backward(dy[0], block, dx);
    return Tensors{dx};
  };
  return c;
}

const bool added = add_row({"avg_pool",
                            {pool_case({1, 1, 1, 1}, {2, 2}), pool_case({0, 3, 4, 8}, {2, 2}),
                             pool_case({2, 3, 5, 7}, {2, 2}), pool_case({2, 4, 4, 64}, {2, 2}),
                             pool_case({1, 17, 33, 12}, {2, 2}), pool_case({1, 5, 3, 5}, {3, 1}),
                             pool_case({2, 1, 1, 20}, {16, 8}), pool_case({2, 3, 3, 2}, {1, 1})}});

}  // namespace
}  // namespace cairn::conformance
