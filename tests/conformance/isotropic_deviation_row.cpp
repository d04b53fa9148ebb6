// isotropic_deviation: the standard deviation of the isotropic Gaussian with a map's mean variance.
#include "kernels/heatmap/isotropic_deviation.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case deviation_case(const Tensor& variance, double aspect) {
  Case c;
  c.label = text("variance=", variance.shape(), " aspect=", aspect);
  c.inputs = {variance};
  const Shape per_landmark{variance.dim(0), variance.dim(1)};
  c.formula = [=](const Tensors& x) {
    Tensor sigma = zeros64(per_landmark);
    for (int64_t i = 0; i < sigma.count(); ++i)
      sigma.data<double>()[i] =
          std::sqrt(std::max(1e-12, (in(x[0])[2 * i] * aspect + in(x[0])[2 * i + 1] / aspect) / 2));
    return Tensors{sigma};
  };
  c.forward = [=](const Tensors& x) {
    Tensor sigma = x[0].empty_like(per_landmark);
    isotropic_deviation(x[0], aspect, sigma);
    return Tensors{sigma};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dsigma) {
    Tensor dvariance = x[0].empty_like();
    isotropic_deviation_backward(x[0], aspect, dsigma[0], dvariance);
    return Tensors{dvariance};
  };
  return c;
}

Case still_case() {  // a map that is one pixel
  Case c = deviation_case(zeros64({2, 3, 2}), 1);
  c.differences = false;
  return c;
}

const bool added =
    add_row({"isotropic_deviation",
             {deviation_case(uniform({1, 1, 2}, 1, 0.01, 0.1), 1),
              deviation_case(uniform({3, 5, 2}, 2, 0.01, 0.1), 1.5),
              deviation_case(uniform({0, 4, 2}, 3, 0.01, 0.1), 1),
              deviation_case(uniform({33, 31, 2}, 4, 0.01, 0.1), 0.75), still_case()}});

}  // namespace
}  // namespace cairn::conformance
