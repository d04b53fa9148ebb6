// mse: mean of w (x - target)^2.
#include "kernels/loss/mse.h"

#include "tests/conformance/pointwise_loss_cases.h"

namespace cairn::conformance {
namespace {

const bool added =
    add_row(pointwise_row("mse", {[](double x, double t) { return (x - t) * (x - t); },
                                  [](auto&&... arguments) { mse(arguments...); },
                                  [](auto&&... arguments) { mse_backward(arguments...); }}));

}  // namespace
}  // namespace cairn::conformance
