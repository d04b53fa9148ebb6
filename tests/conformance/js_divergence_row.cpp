// js_divergence: mean of w (p log(p / m) + q log(q / m)) / 2.
#include "kernels/loss/js_divergence.h"

#include "tests/conformance/pointwise_loss_cases.h"

namespace cairn::conformance {
namespace {

PointwiseLoss divergence() {
  PointwiseLoss l;
  l.value = [](double p, double q) {
    const double m = (p + q) / 2;
    return (p * std::log(p / m) + q * std::log(q / m)) / 2;
  };
  l.forward = [](auto&&... arguments) { js_divergence(arguments...); };
  l.backward = [](auto&&... arguments) { js_divergence_backward(arguments...); };
  l.draw = [](const Shape& s, uint64_t seed) { return uniform(s, seed, 0.01, 1); };
  return l;
}

// Elements that are 0 in one or in both add nothing, or half of log 2.
Case zeros_case() {
  PointwiseLoss l = divergence();
  l.draw = [](const Shape& s, uint64_t seed) { return whole(s, seed, 0, 1); };
  l.value = [](double p, double q) { return p == q ? 0.0 : std::log(2.0) / 2; };
  Case c = pointwise_case(l, {3, 5, 7, 3}, Tensor(), LossMean::elements);
  c.label += " zeros";
  c.differences = false;
  return c;
}

Row row() {
  Row r = pointwise_row("js_divergence", divergence());
  r.cases.push_back(zeros_case());
  for (Case& c : r.cases) c.tolerance = 1e-5;  // where p and q are near, their parts cancel
  return r;
}

const bool added = add_row(row());

}  // namespace
}  // namespace cairn::conformance
