// separation: mean over images of exp(-distance^2 / (2 sigma^2)) over all ordered pairs of points.
#include "kernels/loss/separation.h"

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case separation_case(const Tensor& points, double sigma, double aspect, const char* what = "") {
  Case c;
  c.label = text("points=", points.shape(), " sigma=", sigma, " aspect=", aspect, what);
  c.inputs = {points};
  c.formula = [=](const Tensors& x) {
    const int64_t N = x[0].dim(0), K = x[0].dim(1);
    const double sx = std::sqrt(aspect), sy = std::sqrt(1 / aspect);
    double sum = 0;
    for (int64_t n = 0; n < N; ++n)
      for (int64_t k = 0; k < K; ++k)
        for (int64_t m = 0; m < K; ++m) {
          const double *p = in(x[0]) + (n * K + k) * 2, *q = in(x[0]) + (n * K + m) * 2;
          const double d = std::hypot(sx * (p[0] - q[0]), sy * (p[1] - q[1]));
          if (k != m) sum += std::exp(-d * d / (2 * sigma * sigma)) / double(N);
        }
    return Tensors{Tensor::full({1}, sum, DType::f64)};
  };
  c.forward = [=](const Tensors& x) {
    Tensor loss = x[0].empty_like({1});
    separation(x[0], sigma, aspect, loss);
    return Tensors{loss};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dout) {
    Tensor dpoints = x[0].empty_like();
    separation_backward(x[0], sigma, aspect, dout[0], dpoints);
    return Tensors{dpoints};
  };
  return c;
}

Tensor scattered(const Shape& shape) { return uniform(shape, 1, 0, 1); }

// Of each image, the first half of the points in one place.
Tensor coincident(const Shape& shape) {
  Tensor points = scattered(shape);
  const int64_t K = shape[1];
  for (int64_t i = 0; i < points.count(); ++i)
    if (i / 2 % K < K / 2) points.data<double>()[i] = 0.25;
  return points;
}

Case large() {
  Case c = separation_case(scattered({30000, 9, 2}), 0.08, 1);
  c.large = true;
  return c;
}

const bool added = add_row(
    {"separation",
     {separation_case(scattered({3, 1, 2}), 0.1, 1), separation_case(scattered({0, 5, 2}), 0.1, 1),
      separation_case(scattered({1, 2, 2}), 0.5, 1), separation_case(scattered({3, 7, 2}), 0.2, 1),
      separation_case(scattered({16, 30, 2}), 0.08, 1.5),
      separation_case(scattered({2, 33, 2}), 0.3, 0.5),
      separation_case(normal({2, 5, 2}, 1, 30), 0.04, 1, " far apart"),
      separation_case(coincident({2, 6, 2}), 0.2, 1, " half coincident"),
      separation_case(Tensor::full({2, 4, 2}, 0.5, DType::f64), 0.1, 1, " coincident"), large()}});

}  // namespace
}  // namespace cairn::conformance
