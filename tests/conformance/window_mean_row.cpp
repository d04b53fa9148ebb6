// window_mean: the mean of every window within the image.
#include "kernels/pool/window_mean.h"

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case mean_case(const Shape& s, int size) {
  Case c;
  const Shape windows{s[0], s[1] - size + 1, s[2] - size + 1, s[3]};
  c.label = text("x=", s, " size=", size);
  c.inputs = {normal(s, 1)};
  c.formula = [=](const Tensors& x) {
    Tensor y = zeros64(windows);
    for (int64_t at = 0; at < y.count(); ++at) {
      const int64_t k = at % s[3], j = at / s[3] % windows[2], i = at / s[3] / windows[2];
      for (int u = 0; u < size; ++u)
        for (int v = 0; v < size; ++v)
          y.data<double>()[at] +=
              in(x[0])[((i / windows[1] * s[1] + i % windows[1] + u) * s[2] + j + v) * s[3] + k] /
              (size * size);
    }
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like(windows);
    window_mean(x[0], size, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dy) {
    Tensor dx = x[0].empty_like();
    window_mean_backward(dy[0], size, dx);
    return Tensors{dx};
  };
  return c;
}

const bool added =
    add_row({"window_mean",
             {mean_case({1, 1, 1, 1}, 1), mean_case({0, 5, 6, 8}, 3), mean_case({2, 5, 7, 3}, 4),
              mean_case({2, 4, 4, 8}, 4), mean_case({1, 33, 30, 12}, 4),
              mean_case({1, 19, 35, 5}, 2), mean_case({2, 3, 3, 2}, 1)}});

}  // namespace
}  // namespace cairn::conformance
