// upsample_bilinear: an image resized by bilinear interpolation.
#include "kernels/pool/upsample_bilinear.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

double coordinate(int64_t o, int64_t in, int64_t out, Align align) {
  const double p = align == Align::edges ? (double(o) + 0.5) * double(in) / double(out) - 0.5
                   : out > 1             ? double(o * (in - 1)) / double(out - 1)
                                         : 0;
  return std::clamp(p, 0.0, double(in - 1));
}

Case resize_case(const Shape& s, int64_t height, int64_t width, Align align) {
  Case c;
  c.label =
      text("x=", s, " to ", height, "x", width, align == Align::edges ? " edges" : " corners");
  c.inputs = {normal(s, 1)};
  const Shape resized{s[0], height, width, s[3]};
  c.formula = [=](const Tensors& x) {
    Tensor y = zeros64(resized);
    for (int64_t at = 0; at < y.count(); ++at) {
      const int64_t k = at % s[3], j = at / s[3] % width, i = at / s[3] / width % height;
      const int64_t n = at / s[3] / width / height;
      const double p = coordinate(i, s[1], height, align), q = coordinate(j, s[2], width, align);
      for (int64_t r = 0; r < s[1]; ++r)
        for (int64_t l = 0; l < s[2]; ++l) {
          const double w = std::max(0.0, 1 - std::abs(p - double(r))) *
                           std::max(0.0, 1 - std::abs(q - double(l)));
          y.data<double>()[at] += w * in(x[0])[((n * s[1] + r) * s[2] + l) * s[3] + k];
        }
    }
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like(resized);
    upsample_bilinear(x[0], align, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dy) {
    Tensor dx = x[0].empty_like();
    upsample_bilinear_backward(dy[0], align, dx);
    return Tensors{dx};
  };
  return c;
}

Row row() {
  Row r{"upsample_bilinear", {}};
  for (Align align : {Align::edges, Align::corners})
    for (const Case& c :
         {resize_case({1, 1, 1, 1}, 2, 2, align), resize_case({0, 3, 4, 8}, 6, 8, align),
          resize_case({2, 3, 5, 7}, 6, 10, align), resize_case({1, 4, 6, 32}, 16, 24, align),
          resize_case({1, 9, 11, 5}, 27, 33, align), resize_case({1, 5, 7, 4}, 12, 9, align),
          resize_case({1, 11, 8, 3}, 4, 5, align), resize_case({1, 6, 5, 2}, 1, 1, align),
          resize_case({1, 1, 7, 4}, 5, 7, align), resize_case({1, 16, 12, 1}, 33, 65, align)})
      r.cases.push_back(c);
  return r;
}

const bool added = add_row(row());

}  // namespace
}  // namespace cairn::conformance
