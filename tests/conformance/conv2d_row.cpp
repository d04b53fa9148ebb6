// conv2d: plain, strided, padded, dilated, grouped and depthwise, with each epilogue.
#include "kernels/conv/conv2d.h"

#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conv_formula.h"

namespace cairn::conformance {
namespace {

struct Step {
  Activation act = Activation::none;
  bool pool2 = false;
};

Case conv_case(const Shape& x, const Shape& w, const Conv2dOptions& o, const Step& step = {}) {
  Case c;
  c.label = text("x=", x, " w=", w, " stride=", o.stride, " padding=", o.padding,
                 " dilation=", o.dilation, " groups=", o.groups, " activation=", int(step.act),
                 step.pool2 ? " pool2" : "");
  const double fan_in = std::sqrt(double(w[1] * w[2] * w[3]));
  c.inputs = {normal(x, 1), normal(w, 2, 1 / fan_in), normal({w[0]}, 3)};
  c.formula = [=](const Tensors& in) {
    return Tensors{conv_formula(in, o, step.act, 0.125, step.pool2)};
  };
  c.forward = [=](const Tensors& in) {
    int64_t h = conv2d_output_size(x[1], w[1], o), v = conv2d_output_size(x[2], w[2], o);
    if (step.pool2) h /= 2, v /= 2;
    Tensor y = in[0].empty_like({x[0], h, v, w[0]});
    conv2d(in[0], in[1], o, {&in[2], step.act, 0.125f, step.pool2}, y);
    return Tensors{y};
  };
  c.bf16_tolerance = 1e-2;
  c.bf16_on_cpu = true;
  c.tolerance = 5e-6;  // Winograd's share of it: see kernels/conv/winograd.h
  if (step.act != Activation::none || step.pool2) return c;
  c.backward = [=](const Tensors& in, const Tensors&, const Tensors& dout) {
    Tensor dx = in[0].empty_like(), dw = as_parameter(in[1]).empty_like(),
           dbias = as_parameter(in[2]).empty_like();
    conv2d_backward_data(dout[0], in[1], o, dx);
    conv2d_backward_weights(in[0], dout[0], o, dw, &dbias);
    return Tensors{dx, dw, dbias};
  };
  return c;
}

Row conv2d_row() {
  Row row{"conv2d", {}};
  const auto add = [&](auto&&... args) { row.cases.push_back(conv_case(args...)); };
  add(Shape{1, 1, 1, 1}, Shape{1, 1, 1, 1}, Conv2dOptions{});
  add(Shape{0, 5, 5, 3}, Shape{4, 3, 3, 3}, Conv2dOptions{.padding = 1});
  add(Shape{2, 5, 7, 3}, Shape{5, 1, 1, 3}, Conv2dOptions{});
  add(Shape{1, 6, 9, 32}, Shape{65, 1, 1, 32}, Conv2dOptions{});
  add(Shape{2, 7, 6, 4}, Shape{8, 1, 1, 4}, Conv2dOptions{.stride = 2});
  add(Shape{2, 9, 11, 1}, Shape{8, 3, 3, 1}, Conv2dOptions{.padding = 1});
  add(Shape{1, 12, 13, 3}, Shape{16, 7, 7, 3}, Conv2dOptions{.stride = 2, .padding = 3});
  add(Shape{2, 8, 9, 5}, Shape{7, 3, 3, 5}, Conv2dOptions{.stride = 2, .padding = 1});
  add(Shape{1, 11, 10, 6}, Shape{9, 3, 2, 6}, Conv2dOptions{.padding = 2, .dilation = 2});
  add(Shape{1, 10, 12, 4}, Shape{4, 3, 3, 4}, Conv2dOptions{.stride = 3, .dilation = 2});
  add(Shape{1, 9, 10, 20}, Shape{24, 5, 5, 20}, Conv2dOptions{.padding = 4, .dilation = 2});
  add(Shape{2, 10, 9, 16}, Shape{12, 3, 3, 16}, Conv2dOptions{.padding = 4, .dilation = 4});
  add(Shape{2, 12, 8, 32}, Shape{48, 3, 3, 32}, Conv2dOptions{.padding = 2, .dilation = 2});
  add(Shape{1, 4, 5, 2}, Shape{3, 2, 2, 2}, Conv2dOptions{.stride = 3, .padding = 3});
  add(Shape{2, 6, 7, 6}, Shape{8, 3, 3, 3}, Conv2dOptions{.padding = 1, .groups = 2});
  add(Shape{1, 7, 8, 20}, Shape{20, 3, 3, 1}, Conv2dOptions{.padding = 1, .groups = 20});
  add(Shape{2, 9, 8, 70}, Shape{70, 3, 3, 1}, Conv2dOptions{1, 1, 1, 70});
  add(Shape{1, 8, 9, 6}, Shape{6, 5, 5, 1}, Conv2dOptions{2, 2, 1, 6});
  add(Shape{1, 6, 5, 3}, Shape{6, 3, 3, 1}, Conv2dOptions{1, 1, 1, 3});
  // Large enough, and of the kind, for Winograd: whole tiles, cut tiles, and other paddings.
  add(Shape{1, 16, 16, 32}, Shape{32, 3, 3, 32}, Conv2dOptions{.padding = 1});
  add(Shape{2, 15, 22, 32}, Shape{48, 3, 3, 32}, Conv2dOptions{.padding = 1});
  add(Shape{1, 17, 18, 64}, Shape{32, 3, 3, 64}, Conv2dOptions{});
  add(Shape{1, 15, 14, 32}, Shape{32, 3, 3, 32}, Conv2dOptions{.padding = 2});
  // The same with few channels, and with cut vectors of them.
  add(Shape{2, 16, 13, 16}, Shape{3, 3, 3, 16}, Conv2dOptions{.padding = 1});
  add(Shape{1, 15, 20, 21}, Shape{18, 3, 3, 21}, Conv2dOptions{.padding = 1});
  add(Shape{1, 18, 15, 75}, Shape{20, 3, 3, 75}, Conv2dOptions{.padding = 1},
      Step{Activation::leaky_relu, true});
  // Runs of 8 channels, for the tensor cores' tiles: strides, dilation, groups, a large tile.
  add(Shape{2, 13, 11, 16}, Shape{40, 3, 3, 16}, Conv2dOptions{.stride = 2, .padding = 1});
  add(Shape{1, 12, 14, 24}, Shape{24, 2, 3, 24}, Conv2dOptions{1, 2, 2, 1});
  add(Shape{1, 9, 10, 32}, Shape{48, 3, 3, 16}, Conv2dOptions{1, 1, 1, 2});
  add(Shape{1, 5, 7, 40}, Shape{72, 1, 1, 40}, Conv2dOptions{.stride = 2});
  // In bf16 for Hopper's: whole blocks of outputs, tiles that are cut, several images and steps.
  add(Shape{1, 17, 17, 32}, Shape{64, 3, 3, 32}, Conv2dOptions{.padding = 1});
  add(Shape{1, 7, 19, 64}, Shape{64, 3, 3, 64}, Conv2dOptions{.padding = 1},
      Step{Activation::relu, true});
  add(Shape{2, 3, 5, 64}, Shape{128, 3, 3, 64}, Conv2dOptions{.padding = 1},
      Step{Activation::leaky_relu, false});
  add(Shape{1, 130, 128, 4}, Shape{36, 1, 1, 4}, Conv2dOptions{}, Step{Activation::relu, true});
  for (Activation act : {Activation::none, Activation::relu, Activation::leaky_relu,
                         Activation::relu6, Activation::sigmoid, Activation::softplus})
    for (bool pool2 : {false, true}) {
      add(Shape{1, 7, 9, 5}, Shape{6, 3, 3, 5}, Conv2dOptions{.padding = 1}, Step{act, pool2});
      add(Shape{1, 6, 5, 8}, Shape{17, 1, 1, 8}, Conv2dOptions{}, Step{act, pool2});
      add(Shape{1, 5, 6, 8}, Shape{8, 3, 3, 1}, Conv2dOptions{1, 1, 1, 8}, Step{act, pool2});
      add(Shape{1, 18, 15, 32}, Shape{32, 3, 3, 32}, Conv2dOptions{.padding = 1}, Step{act, pool2});
    }
  row.algorithms = {"ffma 32x32", "ffma 64x64",  "ffma 128x64", "ffma 64x128", "mma 64x64",
                    "mma 128x64", "mma 128x128", "mma 64x128",  "wgmma 16x16", "wgmma 16x32",
                    "parts",      "cuDNN",       "cuDNN#2",     "cuDNN#3",     "cuDNN#4"};
  return row;
}

const bool added = add_row(conv2d_row());

}  // namespace
}  // namespace cairn::conformance
