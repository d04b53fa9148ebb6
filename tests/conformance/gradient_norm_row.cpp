// gradient_norm: the norm over the chunks that are not skipped, and the clipping factor.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/optimizer/gradient_norm.h"
#include "runtime/error.h"
#include "tests/conformance/optimizer_inputs.h"

namespace cairn::conformance {
namespace {

// inputs: grads, scales
Case norm_case(int64_t chunks, double max_norm, double magnitude) {
  Case c;
  c.label = text("chunks=", chunks, " max_norm=", max_norm, " magnitude=", magnitude);
  c.inputs = {normal({chunks * flat_chunk}, 1, magnitude), scales(chunks)};
  c.formula = [max_norm](const Tensors& x) {
    double sum = 0;
    for_active(x[1], [&](int64_t i, double, double) { sum += in(x[0])[i] * in(x[0])[i]; });
    Tensor norm = Tensor::full({1}, std::sqrt(sum), DType::f64);
    Tensor scale = Tensor::full({1}, std::min(1.0, max_norm / (std::sqrt(sum) + 1e-6)), DType::f64);
    return Tensors{norm, scale};
  };
  c.forward = [max_norm](const Tensors& x) {
    Tensor norm = x[0].empty_like({1}), scale = x[0].empty_like({1});
    gradient_norm(x[0], f32(x[1]), max_norm, norm, scale);
    return Tensors{norm, scale};
  };
  return c;
}

const bool added = add_row(
    {"gradient_norm",
     {norm_case(0, 1, 1), norm_case(1, 1, 1), norm_case(7, 1e9, 1), norm_case(1000, 0.5, 1e-3),
      norm_case(1000, std::numeric_limits<double>::infinity(), 1e6)}});

}  // namespace
}  // namespace cairn::conformance
