// wing: mean of w l(x - target), logarithmic up to a width and linear beyond.
#include "kernels/loss/wing.h"

#include "tests/conformance/pointwise_loss_cases.h"

namespace cairn::conformance {
namespace {

PointwiseLoss wing_of(const WingOptions& o) {
  PointwiseLoss l;
  l.value = [=](double x, double t) {
    const double e = std::abs(x - t);
    return e < o.width ? o.width * std::log(1 + e / o.curvature)
                       : e - o.width + o.width * std::log(1 + o.width / o.curvature);
  };
  l.forward = [=](const Tensor& x, const Tensor& t, const Tensor& w, LossMean mean, Tensor& loss,
                  Tensor& factor) { wing(x, t, w, o, mean, loss, factor); };
  l.backward = [=](const Tensor& x, const Tensor& t, const Tensor& w, const Tensor& factor,
                   const Tensor& dloss,
                   Tensor& dx) { wing_backward(x, t, w, o, factor, dloss, dx); };
  return l;
}

Row row() {
  Row r = pointwise_row("wing", wing_of({1, 0.5}));
  r.cases.push_back(pointwise_case(wing_of({}), {3, 5, 7, 3}, Tensor(), LossMean::elements));
  return r;
}

const bool added = add_row(row());

}  // namespace
}  // namespace cairn::conformance
