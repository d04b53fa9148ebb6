// pad_border: an image on a larger ground of the mean colour of its border.
#include "kernels/warp/pad_border.h"

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case pad_case(const Shape& s, int padding) {
  Case c;
  c.label = text("x=", s, " padding=", padding);
  c.inputs = {normal(s, 1)};
  const Shape larger{s[0], s[1] + 2 * padding, s[2] + 2 * padding, s[3]};
  c.formula = [=](const Tensors& x) {
    Tensor y = zeros64(larger);
    for (int64_t at = 0; at < y.count(); ++at) {
      const int64_t k = at % s[3], j = at / s[3] % larger[2] - padding;
      const int64_t i = at / s[3] / larger[2] % larger[1] - padding;
      const int64_t n = at / s[3] / larger[2] / larger[1];
      const auto pixel = [&](int64_t r, int64_t q) {
        return in(x[0])[((n * s[1] + r) * s[2] + q) * s[3] + k];
      };
      if (i >= 0 && i < s[1] && j >= 0 && j < s[2]) {
        y.data<double>()[at] = pixel(i, j);
        continue;
      }
      double sum = 0, count = 0;
      for (int64_t r = 0; r < s[1]; ++r)
        for (int64_t q = 0; q < s[2]; ++q)
          if (r == 0 || q == 0 || r == s[1] - 1 || q == s[2] - 1) {
            sum += pixel(r, q);
            ++count;
          }
      y.data<double>()[at] = sum / count;
    }
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like(larger);
    pad_border(x[0], padding, y);
    return Tensors{y};
  };
  return c;
}

const bool added =
    add_row({"pad_border",
             {pad_case({1, 1, 1, 1}, 2), pad_case({0, 3, 4, 3}, 2), pad_case({2, 3, 5, 3}, 4),
              pad_case({1, 2, 7, 1}, 1), pad_case({1, 1, 6, 3}, 3), pad_case({2, 6, 1, 3}, 1),
              pad_case({3, 33, 40, 3}, 5), pad_case({1, 4, 4, 2}, 0)}});

}  // namespace
}  // namespace cairn::conformance
