#include "layers/conv_norm.h"

#include <cmath>

#include "layers/functions_conv.h"
#include "layers/functions_elementwise.h"
#include "layers/functions_pool.h"

namespace cairn {

FoldedConv fold_norm(const Conv2d& conv, const BatchNorm2d& norm) {
  const Tensor& w = conv.weight.value;
  FoldedConv folded{w.to(Device::cpu).clone(), norm.bias.value.to(Device::cpu).clone()};
  const int64_t out = w.dim(0), row = w.count() / out;
  with_float(w.dtype(), [&](auto type) {
    using T = decltype(type);
    const auto gamma = norm.weight.value.values<T>(), mean = norm.running_mean.values<T>(),
               var = norm.running_var.values<T>();
    const auto bias = conv.with_bias ? conv.bias.value.values<T>() : std::vector<T>(out);
    T* weight = folded.weight.data<T>();
    T* shift = folded.bias.data<T>();
    for (int64_t o = 0; o < out; ++o) {
      const T factor = gamma[o] / std::sqrt(var[o] + T(norm.options.eps));
      shift[o] += (bias[o] - mean[o]) * factor;
      for (int64_t k = 0; k < row; ++k) weight[o * row + k] *= factor;
    }
  });
  return {folded.weight.to(w.device()), folded.bias.to(w.device())};
}

namespace {

Var in_parts(const Var& x, Conv2d& conv, BatchNorm2d* norm, const ConvNormStep& step) {
  Var y = conv(x);
  if (step.order == NormOrder::pre) y = (*norm)(y);
  if (step.order == NormOrder::post) {
    y = (*norm)(activation(y, step.act));
    return step.pool2 ? max_pool(y, 2, 2) : y;
  }
  // No activation falls anywhere, so the maximum may come first: a quarter of the work and memory.
  if (step.pool2) y = max_pool(y, 2, 2);
  return activation(y, step.act);
}

Var in_one_pass(const Var& x, Conv2d& conv, BatchNorm2d* norm, const ConvNormStep& step) {
  Tape& tape = x.tape();
  const ModuleScope scope(tape, conv);
  const bool after = step.order == NormOrder::post;
  FoldedConv c{conv.weight.value, conv.with_bias ? conv.bias.value : Tensor()};
  if (step.order == NormOrder::pre) c = fold_norm(conv, *norm);
  const Var bias = c.bias.defined() ? tape.constant(c.bias) : Var();
  const Var y = conv2d_fused(x, tape.constant(c.weight), bias, conv.options,
                             {.act = step.act, .pool2 = step.pool2 && !after});
  if (!after) return y;
  return step.pool2 ? max_pool((*norm)(y), 2, 2) : (*norm)(y);
}

}  // namespace

Var conv_norm(const Var& x, Conv2d& conv, BatchNorm2d* norm, const ConvNormStep& step) {
  const bool parts = x.tape().recording() || x.tape().training;
  return parts ? in_parts(x, conv, norm, step) : in_one_pass(x, conv, norm, step);
}

}  // namespace cairn
