// cast: to bf16, and from there to the type of the input.
#include "kernels/elementwise/cast.h"

#include <cmath>
#include <limits>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

// x's own number, or of the two bf16 around it the nearer one, of equally near ones the even one.
double nearest(double x) {
  if (!std::isfinite(x) || x == 0) return x;
  int exponent = 0;
  std::frexp(x, &exponent);
  const double step = std::ldexp(1, std::max(exponent - 8, -133)),
               low = std::floor(x / step) * step;
  const double above = low + step - x, below = x - low;
  const bool even = std::fmod(low / step, 2) == 0;
  const double y = below < above || (below == above && even) ? low : low + step;
  return std::abs(y) < std::ldexp(1, 128) ? y : std::copysign(INFINITY, x);
}

Case cast_case(const char* label, const Tensor& x) {
  Case c;
  c.label = label;
  c.inputs = {x};
  c.tolerance = 0;
  c.formula = [](const Tensors& x) {
    Tensor y = zeros64(x[0].shape());
    for (int64_t i = 0; i < y.count(); ++i) y.data<double>()[i] = nearest(in(x[0])[i]);
    return Tensors{y, y};
  };
  c.forward = [](const Tensors& x) {
    Tensor y = Tensor::empty(x[0].shape(), DType::bf16, x[0].device()), z = x[0].empty_like();
    cast(x[0], y);
    cast(y, z);
    return Tensors{y, z};
  };
  return c;
}

// Without the first number: what is left does not begin where vectors do.
Case cast_views_case(const Tensor& x) {
  Case c = cast_case("views", x);
  c.formula = [whole = c.formula](const Tensors& x) {
    const Tensor y = whole(x)[0].rows(1, x[0].dim(0));
    return Tensors{y, y};
  };
  c.forward = [](const Tensors& x) {
    const int64_t n = x[0].dim(0);
    Tensor large = Tensor::empty(x[0].shape(), DType::bf16, x[0].device()),
           larger = x[0].empty_like();
    Tensor y = large.rows(1, n), z = larger.rows(1, n);
    cast(x[0].rows(1, n), y);
    cast(y, z);
    return Tensors{y, z};
  };
  return c;
}

Tensor special() {
  const double inf = std::numeric_limits<float>::infinity();
  return Tensor::from<double>(
      {12}, {0, -0.0, inf, -inf, NAN, 3.4e38f, -3.4e38f, 1e-39f, 1 + 1 / 256.0, 1 + 3 / 256.0,
             -(1 + 1 / 256.0), 1 + 1.5 / 256});
}

const bool added = add_row(
    {"cast",
     {cast_case("one", normal({1}, 1)), cast_case("none", normal({0, 3}, 1)),
      cast_case("odd", normal({3, 5, 7}, 2, 1e-3)), cast_case("large", normal({70001}, 3, 1e20)),
      cast_case("special", special()), cast_views_case(normal({41}, 4))},
     Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
