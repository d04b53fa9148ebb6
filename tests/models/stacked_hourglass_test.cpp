#include "models/stacked_hourglass.h"

#include <gtest/gtest.h>

#include "runtime/error.h"

namespace cairn {
namespace {

int64_t count(const Options& options) {
  return Parameters(*make_model("stacked_hourglass", options), Device::cpu).count();
}
int64_t count(int stacks, int features, int joints = 16, const char* block = "bottleneck") {
  return count({{"stacks", std::to_string(stacks)},
                {"features", std::to_string(features)},
                {"joints", std::to_string(joints)},
                {"block", block}});
}

StackedHourglassOptions small(int stacks) {
  StackedHourglassOptions o;
  o.stacks = stacks;
  o.features = 16;
  o.joints = 5;
  return o;
}

TEST(StackedHourglass, HasThePapersParametersToTheLastOne) {
  EXPECT_EQ(count(1, 256), 3'426'448);
  EXPECT_EQ(count(2, 256), 6'570'400);
  EXPECT_EQ(count(4, 256), 12'858'304);
  EXPECT_EQ(count(8, 256), 25'434'112);
  EXPECT_EQ(count(2, 128), 1'744'544);
  EXPECT_EQ(count(1, 128), 950'800);
  EXPECT_EQ(count(2, 64), 545'248);
  EXPECT_EQ(count(1, 64), 342'928);
}

TEST(StackedHourglass, HasTheParametersOfTheOccludedHourglassFor68Points) {
  EXPECT_EQ(count(4, 256, 68), 12'951'696);
  EXPECT_EQ(count(8, 256, 68), 25'634'208);
}

TEST(StackedHourglass, WithHierarchicalBlocksHasFansParametersToTheLastOne) {
  EXPECT_EQ(count(1, 256, 68, "hierarchical"), 6'249'668);
  EXPECT_EQ(count(2, 256, 68, "hierarchical"), 12'106'504);
  EXPECT_EQ(count(3, 256, 68, "hierarchical"), 17'963'340);
  EXPECT_EQ(count(4, 256, 68, "hierarchical"), 23'820'176);
}

TEST(StackedHourglass, GivesOneSetOfHeatmapsPerStackAtAQuarterOfTheSize) {
  StackedHourglass network(small(2));
  Parameters parameters(network, Device::cpu);
  parameters.initialize(1);
  Tape tape(false);
  const auto heatmaps = network.forward(tape.constant(Tensor::full({1, 64, 128, 3}, 0.5)));
  ASSERT_EQ(heatmaps.size(), 2u);
  EXPECT_EQ(heatmaps[1].shape(), (Shape{1, 16, 32, 5}));
}

TEST(StackedHourglass, ASizeThatDoesNotFitNamesTheMultiple) {
  StackedHourglass network(small(1));
  Parameters parameters(network, Device::cpu);
  Tape tape(false);
  try {
    network.forward(tape.constant(Tensor::zeros({1, 96, 128, 3})));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.expected.find("multiples of 64"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace cairn
