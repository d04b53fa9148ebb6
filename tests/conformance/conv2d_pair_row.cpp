// conv2d_pair: pairs that are computed patch by patch on cpu or tile by tile on a GPU, and pairs
// that are not.
#include "kernels/conv/conv2d_pair.h"

#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conv_formula.h"

namespace cairn::conformance {
namespace {

struct Pair {
  Shape x, w1, w2;
  Conv2dOptions o1{.padding = 1}, o2{.padding = 1};
  Activation act = Activation::relu;
  bool pool2 = true;
};

Tensor weights(const Shape& w, uint64_t seed) {
  return normal(w, seed, 1 / std::sqrt(double(w[1] * w[2] * w[3])));
}

Case pair_case(const Pair& p) {
  Case c;
  c.label = text("x=", p.x, " w1=", p.w1, " w2=", p.w2, " padding=", p.o1.padding, ",",
                 p.o2.padding, " activation=", int(p.act), p.pool2 ? " pool2" : "");
  c.inputs = {normal(p.x, 1), weights(p.w1, 2), normal({p.w1[0]}, 3), weights(p.w2, 4),
              normal({p.w2[0]}, 5)};
  c.formula = [p](const Tensors& in) {
    const Tensor y = conv_formula({in[0], in[1], in[2]}, p.o1, p.act, 0.125, false);
    return Tensors{conv_formula({y, in[3], in[4]}, p.o2, p.act, 0.125, p.pool2)};
  };
  c.forward = [p](const Tensors& in) {
    const ConvStep first{in[1], p.o1, {&in[2], p.act, 0.125f, false}};
    const ConvStep second{in[3], p.o2, {&in[4], p.act, 0.125f, p.pool2}};
    Tensor y = in[0].empty_like(conv_step_shape(conv_step_shape(p.x, first), second));
    conv2d_pair(in[0], first, second, y);
    return Tensors{y};
  };
  c.tolerance = 5e-6;  // Winograd's share of it: see kernels/conv/winograd.h
  c.bf16_tolerance = 1.5e-2;
  c.bf16_on_cpu = true;
  return c;
}

Row conv2d_pair_row() {
  Row row{"conv2d_pair", {}};
  const auto add = [&](const Pair& p) { row.cases.push_back(pair_case(p)); };
  // Patch by patch: whole patches, cut ones, cut tiles, several images, other paddings.
  add({{1, 24, 32, 1}, {32, 3, 3, 1}, {32, 3, 3, 32}});
  add({{2, 29, 23, 1}, {32, 3, 3, 1}, {48, 3, 3, 32}});
  add({{1, 19, 20, 3}, {64, 3, 3, 3}, {32, 3, 3, 64}, {}, {}, Activation::leaky_relu, false});
  add({{1, 19, 21, 3}, {32, 5, 5, 3}, {32, 3, 3, 32}, {.padding = 2}, {.padding = 2}});
  add({{1, 16, 17, 1},
       {32, 3, 3, 1},
       {32, 3, 3, 32},
       {.padding = 1},
       {.padding = 1},
       Activation::sigmoid,
       false});
  add({{0, 16, 16, 1}, {32, 3, 3, 1}, {32, 3, 3, 32}});
  // Tile by tile on a GPU: a cut tile, several, whole ones of several images, less than a window.
  const Shape w2{64, 3, 3, 64};
  add({{1, 7, 9, 1}, {64, 3, 3, 1}, w2});
  add({{1, 19, 37, 1}, {64, 3, 3, 1}, w2});
  add({{2, 16, 16, 1}, {64, 3, 3, 1}, w2});
  add({{1, 10, 18, 3}, {64, 3, 3, 3}, w2});
  add({{1, 1, 8, 1}, {64, 3, 3, 1}, w2});
  // One after the other.
  add({{1, 9, 10, 1}, {5, 3, 3, 1}, {6, 3, 3, 5}});
  add({{1, 6, 8, 1}, {64, 3, 3, 1}, w2, {.padding = 1}, {.padding = 1}, Activation::leaky_relu});
  add({{1, 16, 18, 8}, {32, 3, 3, 8}, {32, 3, 3, 32}, {.stride = 2}, {}, Activation::none, false});
  row.algorithms = {"one by one", "wgmma"};
  return row;
}

const bool added = add_row(conv2d_pair_row());

}  // namespace
}  // namespace cairn::conformance
