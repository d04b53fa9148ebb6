#include "layers/functions_loss.h"

#include <gtest/gtest.h>

#include "runtime/error.h"

namespace cairn {
namespace {

Tensor row(const std::vector<double>& values) {
  return Tensor::from<double>({1, int64_t(values.size())}, values);
}

TEST(Losses, MseAndItsGradientsAreThoseComputedByHand) {
  Tape tape;
  const Var x = tape.leaf(row({1, 2, 5})), target = tape.leaf(row({1, 4, 2}));
  const Var loss = mse(x, target, row({1, 1, 2}), LossMean::weights);
  EXPECT_DOUBLE_EQ(loss.value().item(), (0 + 4 + 2 * 9) / 4.0);
  tape.backward(loss);
  EXPECT_EQ(x.grad().values<double>(), (std::vector<double>{0, -1, 3}));
  EXPECT_EQ(target.grad().values<double>(), (std::vector<double>{0, 1, -3}));
}

TEST(Losses, SmoothL1IsQuadraticBelowBetaAndLinearAbove) {
  Tape tape;
  const Var x = tape.leaf(row({0.5, 3}));
  const Var loss = smooth_l1(x, tape.constant(row({0, 0})), {}, 1.0);
  EXPECT_DOUBLE_EQ(loss.value().item(), (0.125 + 2.5) / 2);
  tape.backward(loss);
  EXPECT_EQ(x.grad().values<double>(), (std::vector<double>{0.25, 0.5}));
}

TEST(Losses, ABatchWithoutWeightHasLossAndGradientZero) {
  Tape tape;
  const Var x = tape.leaf(row({1, 2}));
  const Var loss = mse(x, tape.constant(row({3, 4})), row({0, 0}), LossMean::weights);
  tape.backward(loss);
  EXPECT_EQ(loss.value().item(), 0);
  EXPECT_EQ(x.grad().values<double>(), (std::vector<double>{0, 0}));
}

TEST(Losses, EveryMismatchIsNamedWithTheShapes) {
  Tape tape;
  const Var x = tape.leaf(row({1, 2}));
  try {
    smooth_l1(x, tape.constant(row({1, 2, 3})), Tensor::zeros({7}), -1);
    FAIL();
  } catch (const Error& e) {
    for (const char* part : {"target differs", "weight", "f32", "beta is -1", "x [1,2]"})
      EXPECT_NE(e.wrong.find(part), std::string::npos) << part << " in: " << e.wrong;
  }
}

}  // namespace
}  // namespace cairn
