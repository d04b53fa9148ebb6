#include "layers/functions_elementwise.h"

#include <algorithm>

#include "kernels/elementwise/add.h"
#include "kernels/elementwise/bias_activation.h"
#include "kernels/elementwise/cast.h"
#include "kernels/elementwise/concat.h"
#include "kernels/elementwise/scale.h"
#include "layers/check.h"
#include "layers/trace.h"

namespace cairn {
namespace {

// The shape with another number of channels.
Shape with_channels(const Shape& s, int64_t channels) {
  std::vector<int64_t> dims(s.begin(), s.end());
  dims.back() = channels;
  return Shape(dims);
}

}  // namespace

Var add(const Var& a, const Var& b) {
  Check("add")
      .argument("a", a)
      .argument("b", b)
      .require(a.shape() == b.shape(), "the shapes differ")
      .alike("b", b.value(), "a", a.value())
      .done("two tensors of one shape, type and device",
            "bring both to the same size and channels first");
  Tensor y = a.value().empty_like();
  add(a.value(), b.value(), y);
  Trace::add(a.tape(), "add", {a.value(), b.value()}, y);
  return a.tape().record("add", {a, b}, y, [](const Tensor& dy, Grads& grads) {
    grads.give(0, dy);
    grads.give(1, dy);
  });
}

Var scale(const Var& x, double factor) {
  Tensor y = x.value().empty_like();
  scale(x.value(), factor, y);
  return x.tape().record("scale", {x}, y, [factor](const Tensor& dy, Grads& grads) {
    if (Tensor* dx = grads.want(0)) scale(dy, factor, *dx);
  });
}

Var cast(const Var& x, DType type) {
  const DType own = x.value().dtype();
  if (own == type) return x;
  const auto castable = [](DType t) { return t == DType::f32 || t == DType::bf16; };
  Check("cast")
      .argument("x", x)
      .require(castable(own) && castable(type), "from ", own, " to ", type)
      .done("f32 and bf16", "convert other types with Tensor::to() before they are on the tape");
  return x.tape().record("cast", {x}, as_type(x.value(), type), [](const Tensor& dy, Grads& grads) {
    if (Tensor* dx = grads.want(0)) cast(dy, *dx);
  });
}

Var bias_activation(const Var& x, const Var& bias, Activation act, float slope) {
  Check check("bias_activation");
  check.argument("x", x).argument("bias", bias);
  check.require(x.value().rank() >= 1, "x has rank 0");
  if (check.fine() && bias.defined())
    check.require(bias.shape() == Shape{x.dim(-1)}, "bias has shape ", bias.shape(), " for ",
                  x.dim(-1), " channels");
  if (bias.defined()) check.parameter("bias", bias.value(), x.value());
  check.require(slope >= 0, "slope is ", slope);
  check.done("x [...,C], bias [C], of one type (f32 beside bf16) and device, slope >= 0",
             "give the layer the channels it was built for");

  Tensor y = x.value().empty_like();
  const Tensor* b = bias.defined() ? &bias.value() : nullptr;
  bias_activation(x.value(), b, act, slope, y);
  Trace::add(x.tape(), "bias_activation", {x.value(), bias.value()}, y,
             {{"activation", double(act)}, {"slope", slope}});
  return x.tape().record("bias_activation", {x, bias}, y,
                         [act, slope, y](const Tensor& dy, Grads& grads) {
                           Tensor *dx = grads.want(0), *dbias = grads.want(1);
                           bias_activation_backward(y, dy, act, slope, dx, dbias);
                         });
}

Var activation(const Var& x, Activation act, float slope) {
  return act == Activation::none ? x : bias_activation(x, Var(), act, slope);
}

Var concat(const std::vector<Var>& xs, int64_t channels) {
  Check check("concat");
  check.require(!xs.empty(), "there are no inputs");
  int64_t total = 0;
  std::vector<Tensor> values;
  std::vector<int64_t> widths;
  for (const Var& x : xs) {
    check.argument("x", x).require(x.value().rank() >= 1, "an input has rank 0");
    if (!check.fine()) break;
    total += x.dim(-1);
    values.push_back(x.value());
    widths.push_back(x.dim(-1));
    check.require(with_channels(x.shape(), 0) == with_channels(xs[0].shape(), 0),
                  "leading dimensions differ");
    check.alike("an input", x.value(), "the first", xs[0].value());
  }
  check.require(channels == 0 || channels >= total, "the inputs have ", total, " channels, ",
                channels, " are wanted");
  check.done("inputs [...,C_i] that differ in their channels alone",
             "resize or pool them to one height and width first");

  Tensor y = values[0].empty_like(with_channels(values[0].shape(), std::max(total, channels)));
  concat(values, 0, y);
  return xs[0].tape().record("concat", xs, y, [widths](const Tensor& dy, Grads& grads) {
    int64_t first = 0;
    for (size_t i = 0; i < widths.size(); first += widths[i++])
      if (Tensor* dx = grads.want(int(i))) slice_channels(dy, first, *dx);
  });
}

Var slice_channels(const Var& x, int64_t first, int64_t count) {
  Check check("slice_channels");
  check.argument("x", x).require(x.value().rank() >= 1, "x has rank 0");
  if (check.fine())
    check.require(first >= 0 && count >= 0 && first <= x.dim(-1) - count, "channels ", first,
                  " to ", first + count, " of ", x.dim(-1));
  check.done("a range inside of x's channels", "correct first and count");
  Tensor y = x.value().empty_like(with_channels(x.shape(), count));
  slice_channels(x.value(), first, y);
  return x.tape().record("slice_channels", {x}, y, [first](const Tensor& dy, Grads& grads) {
    if (Tensor* dx = grads.want(0)) concat({dy}, first, *dx);
  });
}

Tensor stacked(const Tensor& first, const Tensor& second) {
  Check("stacked")
      .argument("first", first)
      .argument("second", second)
      .require(first.shape() == second.shape(), "the shapes differ")
      .require(first.rank() >= 1, "there is no dimension to stack along")
      .alike("second", second, "first", first)
      .done("two tensors [N,...] of one shape, type and device", "batch images in pairs");
  std::vector<int64_t> dims(first.shape().begin(), first.shape().end());
  const int64_t n = dims[0];
  dims[0] = 2 * n;
  Tensor both = first.empty_like(Shape(dims)), upper = both.rows(0, n), lower = both.rows(n, 2 * n);
  upper.copy_from(first);
  lower.copy_from(second);
  return both;
}

std::pair<Var, Var> halves(const Var& x) {
  Check("halves")
      .argument("x", x)
      .require(x.value().rank() >= 1 && x.dim(0) % 2 == 0, "x does not divide into two")
      .done("x [2N,...]", "batch images in pairs");
  const int64_t n = x.dim(0) / 2;
  const std::vector<Var> parts = x.tape().record(
      "halves", {x}, std::vector<Tensor>{x.value().rows(0, n), x.value().rows(n, 2 * n)},
      [n](const std::vector<Tensor>& dy, Grads& grads) {
        Tensor* dx = grads.want(0);
        for (int i = 0; dx && i < 2; ++i) {
          Tensor half = dx->rows(i * n, (i + 1) * n);
          dy[i].defined() ? half.copy_from(dy[i]) : half.zero();
        }
      });
  return {parts[0], parts[1]};
}

}  // namespace cairn
