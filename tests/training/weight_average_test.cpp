#include "training/weight_average.h"

#include <gtest/gtest.h>

#include "layers/modules.h"
#include "runtime/error.h"

namespace cairn {
namespace {

class WeightAverageTest : public testing::Test {
 protected:
  BatchNorm2d module_{3};
  Parameters parameters_{module_, Device::cpu};

  // Every weight becomes `value`, as after a step.
  void step(WeightAverage& average, int64_t number, double value) {
    parameters_.values().fill(value);
    average.update(number);
  }
  static double averaged(const WeightAverage& average) {
    return double(average.named_state().front().tensor.values<float>()[0]);
  }
};

TEST_F(WeightAverageTest, ItStartsAtTheFirstWeightsAndThenFollowsWithTheGivenDecay) {
  WeightAverage average(parameters_, 0.1);
  step(average, 1, 5);
  EXPECT_FLOAT_EQ(float(averaged(average)), 5);
  step(average, 2, 1);  // the decay of the second step, 1 / 10, is the given one
  EXPECT_FLOAT_EQ(float(averaged(average)), 0.1f * 5 + 0.9f * 1);
  step(average, 1000, 2);
  EXPECT_FLOAT_EQ(float(averaged(average)), 0.1f * 1.4f + 0.9f * 2);
}

TEST_F(WeightAverageTest, WhileItIsInUseTheModelHasItAndThenItsOwnWeights) {
  WeightAverage average(parameters_, 0.5);
  step(average, 1, 4);
  parameters_.values().fill(8);
  {
    const WeightAverage::Use use(average);
    EXPECT_EQ(module_.weight.value.values<float>()[0], 4);
  }
  EXPECT_EQ(module_.weight.value.values<float>()[0], 8);
}

TEST_F(WeightAverageTest, ADecayOfOneIsRefused) {
  EXPECT_THROW(WeightAverage(parameters_, 1), UsageError);
}

}  // namespace
}  // namespace cairn
