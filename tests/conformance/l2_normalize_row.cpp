// l2_normalize: every vector along the last dimension divided by its length.
#include "kernels/descriptor/l2_normalize.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case normalize_case(const Tensor& x, double eps = 1e-12, const char* what = "") {
  Case c;
  c.label = text("x=", x.shape(), " eps=", eps, what);
  c.inputs = {x};
  c.formula = [=](const Tensors& t) {
    Tensor y = zeros64(t[0].shape());
    const int64_t C = t[0].dim(-1);
    for (int64_t i = 0; i < y.count(); i += C) {
      double sum = 0;
      for (int64_t k = i; k < i + C; ++k) sum += in(t[0])[k] * in(t[0])[k];
      for (int64_t k = i; k < i + C; ++k)
        y.data<double>()[k] = in(t[0])[k] / std::max(std::sqrt(sum), eps);
    }
    return Tensors{y};
  };
  c.forward = [=](const Tensors& t) {
    Tensor y = t[0].empty_like();
    l2_normalize(t[0], eps, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& t, const Tensors&, const Tensors& dout) {
    Tensor dx = t[0].empty_like();
    l2_normalize_backward(t[0], dout[0], eps, dx);
    return Tensors{dx};
  };
  return c;
}

Case zero_vectors() {
  Case c = normalize_case(zeros64({2, 3, 5}), 1e-6, " zero vectors");
  c.differences = false;  // the length has a corner at zero
  return c;
}

const bool added =
    add_row({"l2_normalize",
             {normalize_case(normal({1, 1, 1, 4}, 1)), normalize_case(normal({0, 4, 4, 3}, 1)),
              normalize_case(normal({5, 2}, 1)), normalize_case(normal({2, 7, 5, 3}, 1)),
              normalize_case(normal({2, 5, 3, 65}, 1)), normalize_case(normal({1, 30, 40, 256}, 1)),
              normalize_case(normal({3, 9}, 1, 0.01), 1.0, " shorter than eps"),
              normalize_case(normal({3, 33}, 1, 1e6), 1e-12, " long vectors"), zero_vectors()},
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
