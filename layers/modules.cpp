#include "layers/modules.h"

#include <cmath>

#include "layers/functions_conv.h"
#include "layers/functions_norm.h"

namespace cairn {
namespace {

Init fan_in_uniform(int64_t fan_in) {
  return {Init::Kind::uniform, 1 / std::sqrt(double(std::max<int64_t>(fan_in, 1)))};
}

Init constant(double value) { return {Init::Kind::constant, value}; }

// weight [outer, kernel, kernel, inner]: `inner` is what PyTorch counts as inputs.
Parameter conv_weight(int outer, int kernel, int inner, const std::optional<Init>& init) {
  const Shape shape{outer, kernel, kernel, inner};
  return {shape, init.value_or(fan_in_uniform(int64_t(kernel) * kernel * inner))};
}

Parameter conv_bias(int out, int kernel, int inner, const std::optional<Init>& init) {
  return {Shape{out}, init ? constant(0) : fan_in_uniform(int64_t(kernel) * kernel * inner)};
}

}  // namespace

Init xavier_uniform(int in, int out, int kernel) {
  return {Init::Kind::uniform, std::sqrt(6.0 / (double(kernel) * kernel * (in + out)))};
}

Conv2d::Conv2d(int in, int out, int kernel, const Conv2dOptions& o, bool with_bias_,
               std::optional<Init> init)
    : weight(conv_weight(out, kernel, in / o.groups, init)),
      bias(conv_bias(out, kernel, in / o.groups, init)),
      options(o),
      with_bias(with_bias_) {}

void Conv2d::visit(Visitor& v) {
  v("weight", weight);
  if (with_bias) v("bias", bias);
}

Var Conv2d::operator()(const Var& x) {
  const ModuleScope scope(x.tape(), *this);
  return conv2d(x, parameter(x.tape(), weight), with_bias ? parameter(x.tape(), bias) : Var(),
                options);
}

ConvTranspose2d::ConvTranspose2d(int in, int out, int kernel, const ConvTranspose2dOptions& o,
                                 bool with_bias_, std::optional<Init> init)
    : weight(conv_weight(in, kernel, out / o.groups, init)),
      bias(conv_bias(out, kernel, out / o.groups, init)),
      options(o),
      with_bias(with_bias_) {}

void ConvTranspose2d::visit(Visitor& v) {
  v("weight", weight);
  if (with_bias) v("bias", bias);
}

Var ConvTranspose2d::operator()(const Var& x) {
  const ModuleScope scope(x.tape(), *this);
  return conv_transpose2d(x, parameter(x.tape(), weight),
                          with_bias ? parameter(x.tape(), bias) : Var(), options);
}

BatchNorm2d::BatchNorm2d(int channels, const BatchNormOptions& o)
    : weight({channels}, constant(1)),
      bias({channels}, constant(0)),
      running_mean(Tensor::zeros({channels})),
      running_var(Tensor::full({channels}, 1)),
      options(o) {}

void BatchNorm2d::visit(Visitor& v) {
  v("weight", weight);
  v("bias", bias);
  v("running_mean", running_mean);
  v("running_var", running_var);
}

Var BatchNorm2d::operator()(const Var& x, Activation act, float slope) {
  const ModuleScope scope(x.tape(), *this);
  Tape& tape = x.tape();
  BatchNormOptions with_act = options;
  with_act.act = act;
  with_act.slope = slope;
  return batch_norm(x, parameter(tape, weight), parameter(tape, bias), running_mean, running_var,
                    with_act);
}

}  // namespace cairn
