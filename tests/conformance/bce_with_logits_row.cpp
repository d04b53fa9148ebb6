// bce_with_logits: mean of w (-t log s(x) - (1 - t) log(1 - s(x))), s the logistic function.
#include "kernels/loss/bce_with_logits.h"

#include "tests/conformance/pointwise_loss_cases.h"

namespace cairn::conformance {
namespace {

PointwiseLoss cross_entropy() {
  PointwiseLoss l;
  l.value = [](double x, double t) {
    return t * std::log(1 + std::exp(-x)) + (1 - t) * std::log(1 + std::exp(x));
  };
  l.forward = [](auto&&... arguments) { bce_with_logits(arguments...); };
  l.backward = [](auto&&... arguments) { bce_with_logits_backward(arguments...); };
  l.symmetric = false;
  return l;
}

// Logits that a plain exponential would overflow on.
Case huge_case() {
  PointwiseLoss l = cross_entropy();
  l.draw = [](const Shape& s, uint64_t seed) {
    return seed == 1 ? normal(s, seed, 1e4) : whole(s, seed, 0, 1);
  };
  l.value = [plain = l.value](double x, double t) {
    return std::abs(x) < 30 ? plain(x, t) : std::max(x, 0.0) - x * t;
  };
  Case c = pointwise_case(l, {3, 5, 7, 3}, Tensor(), LossMean::elements);
  c.label += " huge";
  c.differences = false;
  return c;
}

Row row() {
  Row r = pointwise_row("bce_with_logits", cross_entropy());
  r.cases.push_back(huge_case());
  return r;
}

const bool added = add_row(row());

}  // namespace
}  // namespace cairn::conformance
