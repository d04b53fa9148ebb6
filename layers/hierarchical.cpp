#include "layers/hierarchical.h"

#include "layers/functions_elementwise.h"
#include "layers/functions_pool.h"

namespace cairn {
namespace {

Conv2d conv3x3(int in, int out) {
  return {in, out, 3, {.stride = 1, .padding = 1, .dilation = 1, .groups = 1}, false};
}

}  // namespace

HierarchicalBlock::HierarchicalBlock(int in, int out)
    : bn1_(in),
      bn2_(out / 2),
      bn3_(out / 4),
      conv1_(conv3x3(in, out / 2)),
      conv2_(conv3x3(out / 2, out / 4)),
      conv3_(conv3x3(out / 4, out / 4)),
      skip_bn_(in == out ? nullptr : std::make_unique<BatchNorm2d>(in)),
      skip_(in == out ? nullptr : std::make_unique<Conv2d>(in, out, 1, Conv2dOptions{}, false)) {}

void HierarchicalBlock::visit(Visitor& v) {
  v("bn1", bn1_);
  v("conv1", conv1_);
  v("bn2", bn2_);
  v("conv2", conv2_);
  v("bn3", bn3_);
  v("conv3", conv3_);
  if (!skip_) return;
  v("downsample.0", *skip_bn_);
  v("downsample.2", *skip_);
}

Var HierarchicalBlock::operator()(const Var& x) {
  const Var a = conv1_(bn1_(x, Activation::relu));
  const Var b = conv2_(bn2_(a, Activation::relu));
  const Var c = conv3_(bn3_(b, Activation::relu));
  return add(concat({a, b, c}), skip_ ? (*skip_)((*skip_bn_)(x, Activation::relu)) : x);
}

struct HierarchicalHourglass::Level {
  HierarchicalBlock skip, down, up;
  explicit Level(int features)
      : skip(features, features), down(features, features), up(features, features) {}
};

HierarchicalHourglass::HierarchicalHourglass(int depth, int features)
    : bottom_(features, features) {
  for (int i = 0; i < depth; ++i) levels_.push_back(std::make_unique<Level>(features));
}

HierarchicalHourglass::~HierarchicalHourglass() = default;

void HierarchicalHourglass::visit(Visitor& v) {
  for (size_t i = 0; i < levels_.size(); ++i) {
    const std::string level = std::to_string(levels_.size() - i);
    v("b1_" + level, levels_[i]->skip);
    v("b2_" + level, levels_[i]->down);
  }
  v("b2_plus_1", bottom_);
  for (size_t i = levels_.size(); i-- > 0;)
    v("b3_" + std::to_string(levels_.size() - i), levels_[i]->up);
}

Var HierarchicalHourglass::operator()(const Var& x) {
  std::vector<Var> skips;
  Var y = x;
  for (auto& level : levels_) {
    skips.push_back(level->skip(y));
    y = level->down(avg_pool(y));
  }
  y = bottom_(y);
  for (size_t i = levels_.size(); i-- > 0;) y = upsample_add(skips[i], levels_[i]->up(y));
  return y;
}

}  // namespace cairn
