#include "layers/residual.h"

#include "layers/functions_elementwise.h"
#include "layers/functions_pool.h"
#include "layers/functions_residual.h"
#include "layers/prepared_weights.h"
#include "layers/trace.h"

namespace cairn {

Residual::Residual(int in, int out)
    : bn1_(in),
      bn2_(out / 2),
      bn3_(out / 2),
      conv1_(in, out / 2, 1),
      conv2_(out / 2, out / 2, 3, {.stride = 1, .padding = 1, .dilation = 1, .groups = 1}),
      conv3_(out / 2, out, 1),
      skip_(in == out ? nullptr : std::make_unique<Conv2d>(in, out, 1)) {}

void Residual::visit(Visitor& v) {
  v("bn1", bn1_);
  v("conv1.conv", conv1_);
  v("bn2", bn2_);
  v("conv2.conv", conv2_);
  v("bn3", bn3_);
  v("conv3.conv", conv3_);
  if (skip_)
    v("skip_layer.conv", *skip_);
  else
    v.without("skip_layer.");  // the public implementation makes it everywhere
}

// One node for all of it, which keeps a third of what the parts would.
Var Residual::as_one(const Var& x) {
  const ModuleScope scope(x.tape(), *this);
  const auto of = [&](Parameter& p) { return parameter(x.tape(), p); };
  ResidualVars block;
  block.norm = bn1_.options;
  BatchNorm2d* const norms[] = {&bn1_, &bn2_, &bn3_};
  Conv2d* const convs[] = {&conv1_, &conv2_, &conv3_};
  for (int i = 0; i < 3; ++i)
    block.step[i] = {of(norms[i]->weight), of(norms[i]->bias),     of(convs[i]->weight),
                     of(convs[i]->bias),   norms[i]->running_mean, norms[i]->running_var};
  if (skip_) {
    block.skip_w = of(skip_->weight);
    block.skip_bias = of(skip_->bias);
  }
  if (x.tape().recording() || x.tape().training) return residual_block(x, block);
  for (int i = 0; i < 2; ++i) {
    const FoldedConv folded = fold_norm(*convs[i], *norms[i + 1]);
    block.step[i].w = x.tape().constant(folded.weight);
    block.step[i].bias = x.tape().constant(folded.bias);
  }
  return residual_block_folded(x, block);
}

Var Residual::in_parts(const Var& x) {
  Var y = conv1_(bn1_(x, Activation::relu));
  y = conv2_(bn2_(y, Activation::relu));
  y = conv3_(bn3_(y, Activation::relu));
  return add(skip_ ? (*skip_)(x) : x, y);
}

// A trace lists the parts.
Var Residual::operator()(const Var& x) { return Trace::running() ? in_parts(x) : as_one(x); }

Hourglass::Hourglass(int depth, int features)
    : up1_(features, features),
      low1_(features, features),
      low3_(features, features),
      inner_(depth > 1 ? std::make_unique<Hourglass>(depth - 1, features) : nullptr),
      bottom_(depth > 1 ? nullptr : std::make_unique<Residual>(features, features)) {}

void Hourglass::visit(Visitor& v) {
  v("up1", up1_);
  v("low1", low1_);
  if (inner_)
    v("low2", *inner_);
  else
    v("low2", *bottom_);
  v("low3", low3_);
}

Var Hourglass::operator()(const Var& x) {
  const Var skip = up1_(x);
  Var low = low1_(max_pool(x, 2, 2));
  low = low3_(inner_ ? (*inner_)(low) : (*bottom_)(low));
  return upsample_add(skip, low);
}

}  // namespace cairn
