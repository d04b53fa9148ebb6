#include "models/landmark_autoencoder/hourglass.h"

#include "layers/conv_norm.h"
#include "layers/functions_elementwise.h"
#include "layers/functions_pool.h"
#include "runtime/error.h"

namespace cairn {
namespace {

constexpr float slope = 0.2f;
// Faster than the paper's 3e-4: what is evaluated has exact statistics, and warps about landmarks
// need statistics of the weights as they are (training/tasks/landmarks.cpp).
constexpr double momentum = 0.01;

Var through(const std::vector<std::unique_ptr<LandmarkBlock>>& blocks, Var x) {
  for (const auto& block : blocks) x = (*block)(x);
  return x;
}

}  // namespace

LandmarkBlock::LandmarkBlock(int in, int out, bool linear)
    : conv(in, out, 3, {.stride = 1, .padding = 1, .dilation = 1, .groups = 1}, true,
           xavier_uniform(in, out, 3)),
      bn(out, {.eps = 1e-3, .momentum = momentum}),
      act(linear ? Activation::none : Activation::leaky_relu) {}

void LandmarkBlock::visit(Visitor& v) {
  v("conv", conv);
  v("bn", bn);
}

Var LandmarkBlock::operator()(const Var& x) {
  const Var in = act == Activation::none ? cast(x, conv.weight.value.dtype()) : x;
  return conv_norm(in, conv, &bn, {.order = NormOrder::pre, .act = act, .slope = slope});
}

LandmarkHourglass::LandmarkHourglass(int in, const std::vector<HourglassLevel>& levels,
                                     bool linear_end) {
  std::vector<int> arrives;  // channels that the coarser levels bring to each level
  for (size_t l = 1; l < levels.size(); ++l) arrives.push_back(levels[l].up.back());
  for (size_t l = 0; l < levels.size(); ++l) {
    const HourglassLevel& plan = levels[l];
    const bool coarsest = l + 1 == levels.size();
    Level level;
    const auto chain = [](Blocks& blocks, int from, const std::vector<int>& widths) {
      for (int width : widths) {
        blocks.push_back(std::make_unique<LandmarkBlock>(from, width));
        from = width;
      }
    };
    chain(level.down, in, plan.down);
    in = plan.down.back();
    if (!coarsest) chain(level.across, in, std::vector<int>(size_t(plan.across), in));
    const int before = coarsest ? in : arrives[l];
    if (!coarsest && before != in)
      throw Error("landmark_hourglass",
                  text("level ", l, " has ", in, " channels, the coarser one brings ", before),
                  "as many, as they are added", "correct the widths");
    chain(level.up, before, plan.up);
    if (l == 0 && linear_end) {
      const size_t n = plan.up.size();
      level.up.back() =
          std::make_unique<LandmarkBlock>(n > 1 ? plan.up[n - 2] : before, plan.up.back(), true);
    }
    levels_.push_back(std::move(level));
  }
}

void LandmarkHourglass::visit(Visitor& v) {
  const auto list = [&](const char* part, size_t l, Blocks& blocks) {
    for (size_t i = 0; i < blocks.size(); ++i) v(text(part, '.', l, '.', i), *blocks[i]);
  };
  for (size_t l = 0; l < levels_.size(); ++l) {
    list("down", l, levels_[l].down);
    list("across", l, levels_[l].across);
  }
  for (size_t l = levels_.size(); l-- > 0;) list("up", l, levels_[l].up);
}

Var LandmarkHourglass::run(size_t l, const Var& x) {
  Level& level = levels_[l];
  const Var y = through(level.down, x);
  if (l + 1 == levels_.size()) return through(level.up, y);
  const Var low = run(l + 1, max_pool(y, 2, 2));
  return through(level.up, upsample_add(through(level.across, y), low));
}

}  // namespace cairn
