// conv_transpose2d: a scatter in the formula, a gather in the kernels.
#include "kernels/conv/conv_transpose2d.h"

#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case transpose_case(const Shape& x, const Shape& w, const ConvTranspose2dOptions& o) {
  const int64_t H = x[1], W = x[2], I = x[3], Og = w[3], O = Og * o.groups;
  const int64_t Ho = conv_transpose2d_output_size(H, w[1], o);
  const int64_t Wo = conv_transpose2d_output_size(W, w[2], o);
  Case c;
  c.label =
      text("x=", x, " w=", w, " stride=", o.stride, " padding=", o.padding,
           " output_padding=", o.output_padding, " dilation=", o.dilation, " groups=", o.groups);
  c.inputs = {normal(x, 1), normal(w, 2, 0.3), normal({O}, 3)};
  c.formula = [=](const Tensors& t) {
    Tensor y = zeros64({x[0], Ho, Wo, O});
    double* py = y.data<double>();
    for (int64_t i = 0; i < y.count(); ++i) py[i] = in(t[2])[i % O];
    for (int64_t pixel = 0; pixel < x[0] * H * W; ++pixel)
      for (int64_t k = 0; k < I * w[1] * w[2] * Og; ++k) {
        const int64_t j = pixel % W, i = pixel / W % H, n = pixel / W / H;
        const int64_t out = k % Og, v = k / Og % w[2], u = k / Og / w[2] % w[1];
        const int64_t channel = k / Og / w[2] / w[1];
        const int64_t r = i * o.stride + u * o.dilation - o.padding;
        const int64_t q = j * o.stride + v * o.dilation - o.padding;
        if (r < 0 || r >= Ho || q < 0 || q >= Wo) continue;
        py[((n * Ho + r) * Wo + q) * O + channel / (I / o.groups) * Og + out] +=
            in(t[0])[pixel * I + channel] * in(t[1])[k];
      }
    return Tensors{y};
  };
  c.forward = [=](const Tensors& t) {
    Tensor y = t[0].empty_like({x[0], Ho, Wo, O});
    conv_transpose2d(t[0], t[1], &t[2], o, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& t, const Tensors&, const Tensors& dout) {
    Tensor dx = t[0].empty_like(), dw = t[1].empty_like(), dbias = t[2].empty_like();
    conv_transpose2d_backward_data(dout[0], t[1], o, dx);
    conv_transpose2d_backward_weights(t[0], dout[0], o, dw, &dbias);
    return Tensors{dx, dw, dbias};
  };
  c.tolerance = 5e-6;
  c.bf16_tolerance = 1e-2;
  return c;
}

Row conv_transpose2d_row() {
  Row row{"conv_transpose2d", {}};
  const auto add = [&](auto&&... args) { row.cases.push_back(transpose_case(args...)); };
  add(Shape{1, 1, 1, 1}, Shape{1, 1, 1, 1}, ConvTranspose2dOptions{});
  add(Shape{0, 3, 3, 2}, Shape{2, 2, 2, 3}, ConvTranspose2dOptions{.stride = 2});
  add(Shape{2, 5, 6, 3}, Shape{3, 2, 2, 5}, ConvTranspose2dOptions{.stride = 2});
  add(Shape{1, 4, 7, 8}, Shape{8, 4, 4, 9}, ConvTranspose2dOptions{.stride = 2, .padding = 1});
  add(Shape{1, 5, 4, 4}, Shape{4, 3, 3, 6},
      ConvTranspose2dOptions{.stride = 2, .padding = 1, .output_padding = 1});
  add(Shape{1, 4, 5, 3}, Shape{3, 2, 3, 2},
      ConvTranspose2dOptions{.stride = 3, .padding = 1, .output_padding = 2, .dilation = 2});
  add(Shape{1, 5, 5, 6}, Shape{6, 3, 3, 2},
      ConvTranspose2dOptions{.stride = 2, .padding = 1, .groups = 3});
  add(Shape{1, 6, 5, 12}, Shape{12, 4, 4, 1},
      ConvTranspose2dOptions{.stride = 2, .padding = 1, .groups = 12});
  add(Shape{1, 9, 8, 20}, Shape{20, 3, 3, 33}, ConvTranspose2dOptions{.padding = 1});
  add(Shape{1, 6, 7, 16}, Shape{16, 4, 4, 24}, ConvTranspose2dOptions{.stride = 2, .padding = 1});
  return row;
}

const bool added = add_row(conv_transpose2d_row());

}  // namespace
}  // namespace cairn::conformance
