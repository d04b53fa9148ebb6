#include "models/stacked_hourglass.h"

#include <gtest/gtest.h>

#include "runtime/error.h"

namespace cairn {
namespace {

int64_t count(int stacks, int features) {
  StackedHourglass network({.stacks = stacks, .features = features, .joints = 16, .depth = 4});
  return Parameters(network, Device::cpu).count();
}

TEST(StackedHourglass, HasThePapersParametersToTheLastOne) {
  EXPECT_EQ(count(1, 256), 3'426'448);
  EXPECT_EQ(count(2, 256), 6'570'400);
  EXPECT_EQ(count(4, 256), 12'858'304);
  EXPECT_EQ(count(8, 256), 25'434'112);
  EXPECT_EQ(count(2, 128), 1'744'544);
  EXPECT_EQ(count(2, 64), 545'248);
}

TEST(StackedHourglass, GivesOneSetOfHeatmapsPerStackAtAQuarterOfTheSize) {
  StackedHourglass network({.stacks = 2, .features = 16, .joints = 5, .depth = 4});
  Parameters parameters(network, Device::cpu);
  parameters.initialize(1);
  Tape tape(false);
  const auto heatmaps = network.forward(tape.constant(Tensor::full({1, 64, 128, 3}, 0.5)));
  ASSERT_EQ(heatmaps.size(), 2u);
  EXPECT_EQ(heatmaps[1].shape(), (Shape{1, 16, 32, 5}));
}

TEST(StackedHourglass, ASizeThatDoesNotFitNamesTheMultiple) {
  StackedHourglass network({.stacks = 1, .features = 16, .joints = 5, .depth = 4});
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
