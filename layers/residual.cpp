#include "layers/residual.h"

#include "layers/functions_elementwise.h"
#include "layers/functions_pool.h"

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
  if (skip_) v("skip_layer.conv", *skip_);
}

Var Residual::operator()(const Var& x) {
  Var y = conv1_(bn1_(x, Activation::relu));
  y = conv2_(bn2_(y, Activation::relu));
  y = conv3_(bn3_(y, Activation::relu));
  return add(skip_ ? (*skip_)(x) : x, y);
}

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
