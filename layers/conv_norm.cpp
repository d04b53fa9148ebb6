#include "layers/conv_norm.h"

#include "layers/functions_conv.h"
#include "layers/functions_elementwise.h"
#include "layers/functions_pool.h"
#include "layers/prepared_weights.h"
#include "layers/trace.h"

namespace cairn {
namespace {

Var in_parts(const Var& x, Conv2d& conv, BatchNorm2d* norm, const ConvNormStep& step) {
  Var y = conv(x);
  if (step.order == NormOrder::none) {
    // No activation falls anywhere, so the maximum may come first: a quarter of the work and
    // memory.
    return activation(step.pool2 ? max_pool(y, 2, 2) : y, step.act, step.slope);
  }
  if (step.order == NormOrder::pre)
    y = (*norm)(y, step.act, step.slope);
  else
    y = (*norm)(activation(y, step.act, step.slope));
  return step.pool2 ? max_pool(y, 2, 2) : y;
}

// The convolution with all that fits behind it.
FusedConv fused(const Var& x, const ConvNormLayer& layer) {
  Tape& tape = x.tape();
  const bool after = layer.step.order == NormOrder::post;
  FoldedConv c{layer.conv.weight.value, layer.conv.with_bias ? layer.conv.bias.value : Tensor()};
  if (layer.step.order == NormOrder::pre) c = fold_norm(layer.conv, *layer.norm);
  const auto constant = [&](const Tensor& t) { return t.defined() ? tape.constant(t) : Var(); };
  return {constant(c.weight),
          constant(c.bias),
          layer.conv.options,
          {.act = layer.step.act, .slope = layer.step.slope, .pool2 = layer.step.pool2 && !after}};
}

// What fused() left out.
Var rest(const Var& y, const ConvNormLayer& layer) {
  if (layer.step.order != NormOrder::post) return y;
  const Var z = (*layer.norm)(cast(y, layer.norm->weight.value.dtype()));
  return cast(layer.step.pool2 ? max_pool(z, 2, 2) : z, y.value().dtype());
}

Var in_one_pass(const Var& x, const ConvNormLayer& layer) {
  const ModuleScope scope(x.tape(), layer.conv);
  const FusedConv c = fused(x, layer);
  return rest(conv2d_fused(x, c.w, c.bias, c.options, c.step), layer);
}

bool records_parts(const Var& x) { return x.tape().recording() || x.tape().training; }

}  // namespace

Var conv_norm(const Var& x, Conv2d& conv, BatchNorm2d* norm, const ConvNormStep& step) {
  return records_parts(x) ? in_parts(x, conv, norm, step) : in_one_pass(x, {conv, norm, step});
}

Var conv_norm_pair(const Var& x, const ConvNormLayer& first, const ConvNormLayer& second) {
  const bool passes_between = first.step.pool2 || first.step.order == NormOrder::post;
  // A trace lists the two one by one.
  if (!records_parts(x) && !passes_between && !Trace::running()) {
    const ProfileRange range(Work::module, first.conv.path(), " + ", second.conv.path());
    return rest(conv2d_pair_fused(x, fused(x, first), fused(x, second)), second);
  }
  return conv_norm(conv_norm(x, first.conv, first.norm, first.step), second.conv, second.norm,
                   second.step);
}

}  // namespace cairn
