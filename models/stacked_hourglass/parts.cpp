#include "models/stacked_hourglass/parts.h"

#include "layers/conv_norm.h"
#include "layers/functions_elementwise.h"
#include "layers/functions_pool.h"
#include "layers/hierarchical.h"
#include "layers/residual.h"

namespace cairn {
namespace {

using Block = StackedHourglassOptions::Block;

Conv2dOptions strided(int padding) {
  return {.stride = 2, .padding = padding, .dilation = 1, .groups = 1};
}

// 7x7 stride 2, three residuals and a pool.
struct BottleneckStem : HourglassPart {
  Conv2d conv;
  BatchNorm2d bn{64};
  Residual res1{64, 128}, res2{128, 128}, res3;

  explicit BottleneckStem(const StackedHourglassOptions& o)
      : conv(o.channels, 64, 7, strided(3)), res3(128, o.features) {}
  void visit(Visitor& v) override {
    v("pre.0.conv", conv);
    v("pre.0.bn", bn);
    v("pre.1", res1);
    v("pre.3", res2);
    v("pre.4", res3);
  }
  Var operator()(const Var& image) override {
    return res3(res2(max_pool(res1(conv_norm(image, conv, &bn, {NormOrder::pre})), 2, 2)));
  }
};

struct HierarchicalStem : HourglassPart {
  Conv2d conv1;
  BatchNorm2d bn1{64};
  HierarchicalBlock conv2{64, 128}, conv3{128, 128}, conv4;

  explicit HierarchicalStem(const StackedHourglassOptions& o)
      : conv1(o.channels, 64, 7, strided(3)), conv4(128, o.features) {}
  void visit(Visitor& v) override {
    v("conv1", conv1);
    v("bn1", bn1);
    v("conv2", conv2);
    v("conv3", conv3);
    v("conv4", conv4);
  }
  Var operator()(const Var& image) override {
    return conv4(conv3(avg_pool(conv2(conv_norm(image, conv1, &bn1, {NormOrder::pre})))));
  }
};

// Two strided convolutions: the other stems cost as much as an hourglass. Windows of 4 see cell j
// of the map centred on (j + 1/2) 4 - 1/2, where its points are, and its mirror image likewise.
struct LightStem : HourglassPart {
  Conv2d conv1, conv2;
  BatchNorm2d bn1, bn2;

  explicit LightStem(const StackedHourglassOptions& o)
      : conv1(o.channels, o.features / 2, 4, strided(1), false),
        conv2(o.features / 2, o.features, 4, strided(1), false),
        bn1(o.features / 2),
        bn2(o.features) {}
  void visit(Visitor& v) override {
    v("pre.0.conv", conv1);
    v("pre.0.bn", bn1);
    v("pre.1.conv", conv2);
    v("pre.1.bn", bn2);
  }
  Var operator()(const Var& image) override {
    return conv_norm(conv_norm(image, conv1, &bn1, {NormOrder::pre}), conv2, &bn2,
                     {NormOrder::pre});
  }
};

// A module of layers/ as a part.
template <class M>
struct PartOf : HourglassPart {
  M module;
  template <class... Arguments>
  explicit PartOf(Arguments... arguments) : module(arguments...) {}
  void visit(Visitor& v) override { module.visit(v); }
  Var operator()(const Var& x) override { return module(x); }
};

std::unique_ptr<HourglassPart> make_hourglass(const StackedHourglassOptions& o) {
  if (o.block == Block::hierarchical)
    return std::make_unique<PartOf<HierarchicalHourglass>>(o.depth, o.features);
  return std::make_unique<PartOf<Hourglass>>(o.depth, o.features);
}

std::unique_ptr<HourglassPart> make_block(const StackedHourglassOptions& o) {
  if (o.block == Block::hierarchical)
    return std::make_unique<PartOf<HierarchicalBlock>>(o.features, o.features);
  return std::make_unique<PartOf<Residual>>(o.features, o.features);
}

// A global head sees the map as 4 x 4 means.
constexpr int global_cells = 4;

// Heads start near zero (as those of Xiao et al., "Simple Baselines", ECCV 2018): maps are empty
// but for a few cells, and a head that starts with noise spends its first thousands of images on
// removing it.
constexpr Init near_zero{Init::Kind::normal, 0.001};

}  // namespace

std::unique_ptr<HourglassPart> make_hourglass_stem(const StackedHourglassOptions& o) {
  if (o.stem == StackedHourglassOptions::Stem::light) return std::make_unique<LightStem>(o);
  if (o.block == Block::hierarchical) return std::make_unique<HierarchicalStem>(o);
  return std::make_unique<BottleneckStem>(o);
}

HourglassStack::HourglassStack(const StackedHourglassOptions& o, int channels, bool global,
                               int index)
    : hierarchical_(o.block == Block::hierarchical),
      global_(global),
      index_(index),
      hourglass_(make_hourglass(o)),
      block_(make_block(o)),
      linear_(o.features, o.features, 1),
      bn_(o.features),
      output_(o.features, channels, global ? global_cells : 1, {}, true, near_zero) {
  if (index + 1 == o.stacks) return;
  merge_features_ = std::make_unique<Conv2d>(o.features, o.features, 1);
  if (!global) merge_output_ = std::make_unique<Conv2d>(channels, o.features, 1);
}

void HourglassStack::visit(Visitor& v) {
  const std::string n = std::to_string(index_);
  const auto name = [&](const char* bottleneck, const char* behind, const char* hierarchical) {
    return hierarchical_ ? hierarchical + n : bottleneck + n + behind;
  };
  v(name("hgs.", ".0", "m"), *hourglass_);
  v(name("features.", ".0", "top_m_"), *block_);
  v(name("features.", ".1.conv", "conv_last"), linear_);
  v(name("features.", ".1.bn", "bn_end"), bn_);
  v(name("outs.", ".conv", "l"), output_);
  if (merge_features_) v(name("merge_features.", ".conv.conv", "bl"), *merge_features_);
  if (merge_output_) v(name("merge_preds.", ".conv.conv", "al"), *merge_output_);
}

// In the parameters' type, also on bf16 features.
Var HourglassStack::head(const Var& features) {
  const Var x = cast(features, output_.weight.value.dtype());
  if (!global_) return output_(x);
  return output_(avg_pool(x, {int(x.dim(1)) / global_cells, int(x.dim(2)) / global_cells}));
}

HourglassStack::Result HourglassStack::operator()(const Var& x) {
  const Var y = conv_norm((*block_)((*hourglass_)(x)), linear_, &bn_, {NormOrder::pre});
  Result r{head(y), {}};
  if (!merge_features_) return r;
  Var back = (*merge_features_)(y);
  if (merge_output_) back = add(back, (*merge_output_)(cast(r.output, x.value().dtype())));
  r.trunk = add(x, back);
  return r;
}

}  // namespace cairn
