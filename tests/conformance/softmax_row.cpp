// softmax over the last dimension.
#include "kernels/loss/softmax.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case with_input(const Tensor& x) {
  Case c;
  c.label = text("x=", x.shape());
  c.inputs = {x};
  c.formula = [](const Tensors& in64) {
    Tensor y = zeros64(in64[0].shape());
    const int64_t C = y.dim(-1);
    for (int64_t r = 0; C > 0 && r < y.count() / C; ++r) {
      const double* from = in(in64[0]) + r * C;
      const double top = *std::max_element(from, from + C);
      double sum = 0;
      for (int64_t k = 0; k < C; ++k) sum += std::exp(from[k] - top);
      for (int64_t k = 0; k < C; ++k) y.data<double>()[r * C + k] = std::exp(from[k] - top) / sum;
    }
    return Tensors{y};
  };
  c.forward = [](const Tensors& in) {
    Tensor y = in[0].empty_like();
    softmax(in[0], y);
    return Tensors{y};
  };
  c.backward = [](const Tensors& in, const Tensors& y, const Tensors& dy) {
    Tensor dx = in[0].empty_like();
    softmax_backward(y[0], dy[0], dx);
    return Tensors{dx};
  };
  return c;
}

Case extreme() {
  Case c = with_input(Tensor::from<double>(
      {4, 3}, {1e4, -1e4, 0, -1e30, 1e30, 1e30, -500, -500, -501, 88.5, 88.5, -INFINITY}));
  c.label += " extreme";
  c.differences = false;
  return c;
}

const bool added =
    add_row({"softmax",
             {with_input(normal({1, 1}, 1)), with_input(normal({0, 65}, 1)),
              with_input(normal({3, 2, 5}, 1, 3)), with_input(normal({2, 15, 20, 65}, 1, 3)),
              with_input(normal({7, 33}, 1)), with_input(normal({3, 1000}, 1, 5)), extreme()}});

}  // namespace
}  // namespace cairn::conformance
