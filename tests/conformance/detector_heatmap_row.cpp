// detector_heatmap: softmax over 65 channels, the last dropped, depth to space by 8.
#include "kernels/heatmap/detector_heatmap.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case heat_case(int64_t n, int64_t rows, int64_t columns, double magnitude) {
  Case c;
  c.label = text("cells=", Shape{n, rows, columns}, " magnitude=", magnitude);
  c.inputs = {normal({n, rows, columns, 65}, 1, magnitude)};
  c.formula = [=](const Tensors& x) {
    Tensor heat = zeros64({n, 8 * rows, 8 * columns});
    for (int64_t cell = 0; cell < n * rows * columns; ++cell) {
      const double* logits = in(x[0]) + cell * 65;
      const double top = *std::max_element(logits, logits + 65);
      double sum = 0;
      for (int k = 0; k < 65; ++k) sum += std::exp(logits[k] - top);
      const int64_t row = cell / columns, column = cell % columns;
      for (int k = 0; k < 64; ++k)
        heat.data<double>()[(8 * row + k / 8) * 8 * columns + 8 * column + k % 8] =
            std::exp(logits[k] - top) / sum;
    }
    return Tensors{heat};
  };
  c.forward = [=](const Tensors& x) {
    const DType type = x[0].dtype() == DType::f64 ? DType::f64 : DType::f32;
    Tensor heat = Tensor::empty({n, 8 * rows, 8 * columns}, type, x[0].device());
    detector_heatmap(x[0], heat);
    return Tensors{heat};
  };
  c.bf16_tolerance = 1e-5;
  return c;
}

const bool added = add_row({"detector_heatmap",
                            {heat_case(1, 1, 1, 1), heat_case(0, 3, 4, 1), heat_case(2, 3, 5, 4),
                             heat_case(1, 7, 1, 3e4), heat_case(2, 15, 20, 10)},
                            Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
