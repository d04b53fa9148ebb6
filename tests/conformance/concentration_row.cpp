// concentration: how far the maps of landmarks spread.
#include "kernels/loss/concentration.h"

#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case concentration_case(const Tensor& variance, double aspect, Spread form) {
  Case c;
  c.label = text("variance=", variance.shape(), " aspect=", aspect,
                 form == Spread::variance ? " variance" : " deviation");
  c.inputs = {variance};
  c.formula = [=](const Tensors& x) {
    Tensor loss = zeros64({1});
    for (int64_t i = 0; i < x[0].count(); i += 2) {
      const double vx = in(x[0])[i] * aspect, vy = in(x[0])[i + 1] / aspect;
      const double s = (std::sqrt(std::max(vx, 1e-12)) + std::sqrt(std::max(vy, 1e-12))) / 2;
      loss.data<double>()[0] += 2 * M_PI * std::exp(1.0) / double(x[0].dim(0)) *
                                (form == Spread::variance ? (vx + vy) / 2 : s * s);
    }
    return Tensors{loss};
  };
  c.forward = [=](const Tensors& x) {
    Tensor loss = x[0].empty_like({1});
    concentration(x[0], aspect, form, loss);
    return Tensors{loss};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dloss) {
    Tensor dvariance = x[0].empty_like();
    concentration_backward(x[0], aspect, form, dloss[0], dvariance);
    return Tensors{dvariance};
  };
  return c;
}

Case still_case() {  // a map that is one pixel has no variance, and no slope of its root
  Case c = concentration_case(zeros64({2, 3, 2}), 1, Spread::deviation);
  c.differences = false;
  return c;
}

const bool added =
    add_row({"concentration",
             {concentration_case(uniform({1, 1, 2}, 1, 0.01, 0.1), 1, Spread::variance),
              concentration_case(uniform({3, 5, 2}, 2, 0.01, 0.1), 1.5, Spread::variance),
              concentration_case(uniform({3, 5, 2}, 3, 0.01, 0.1), 0.75, Spread::deviation),
              concentration_case(uniform({0, 4, 2}, 4, 0.01, 0.1), 1, Spread::variance),
              concentration_case(uniform({33, 31, 2}, 5, 0.001, 0.1), 1, Spread::deviation),
              still_case()}});

}  // namespace
}  // namespace cairn::conformance
