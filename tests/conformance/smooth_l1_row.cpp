// smooth_l1: mean of w l(x - target), quadratic below beta and linear above.
#include "kernels/loss/smooth_l1.h"

#include <cmath>

#include "tests/conformance/pointwise_loss_cases.h"

namespace cairn::conformance {
namespace {

PointwiseLoss with_beta(double beta) {
  PointwiseLoss l;
  l.value = [=](double x, double t) {
    const double e = x - t;
    return std::abs(e) < beta ? e * e / (2 * beta) : std::abs(e) - beta / 2;
  };
  l.forward = [=](const Tensor& x, const Tensor& t, const Tensor& w, LossMean mean, Tensor& loss,
                  Tensor& factor) { smooth_l1(x, t, w, beta, mean, loss, factor); };
  l.backward = [=](const Tensor& x, const Tensor& t, const Tensor& w, const Tensor& factor,
                   const Tensor& dloss,
                   Tensor& dx) { smooth_l1_backward(x, t, w, beta, factor, dloss, dx); };
  return l;
}

Row row() {
  Row r = pointwise_row("smooth_l1", with_beta(1));
  for (double beta : {1.0 / 9, 0.0})
    r.cases.push_back(pointwise_case(with_beta(beta), {3, 5, 7, 3}, Tensor(), LossMean::elements));
  return r;
}

const bool added = add_row(row());

}  // namespace
}  // namespace cairn::conformance
