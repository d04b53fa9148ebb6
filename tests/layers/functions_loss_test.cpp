#include "layers/functions_loss.h"

#include <gtest/gtest.h>

#include <cmath>

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

TEST(Losses, WingIsSteepNearZeroAndLinearBeyondItsWidth) {
  Tape tape;
  const Var x = tape.leaf(row({2, -14}));
  const Var loss = wing(x, tape.constant(row({0, 0})));
  EXPECT_NEAR(loss.value().item(), (10 * std::log(2) + 4 + 10 * std::log(6)) / 2, 1e-12);
  tape.backward(loss);
  EXPECT_EQ(x.grad().values<double>(), (std::vector<double>{1.25, -0.5}));
}

TEST(Losses, DistanceIsTheEuclideanNormOfEachPoint) {
  Tape tape;
  const Var x = tape.leaf(row({3, 4, 7, 7, 0, 1}));
  const Var loss = distance(x, tape.constant(row({0, 0, 0, 0, 0, 1})), row({1, 0, 1}));
  EXPECT_DOUBLE_EQ(loss.value().item(), 2.5);
  tape.backward(loss);
  const std::vector<double> want{.3, .4, 0, 0, 0, 0};
  for (size_t i = 0; i < 6; ++i) EXPECT_DOUBLE_EQ(x.grad().values<double>()[i], want[i]);
}

TEST(Losses, CrossEntropyOfALogitOfZeroIsLogTwo) {
  Tape tape;
  const Var z = tape.leaf(row({0, 0}));
  const Var loss = bce_with_logits(z, tape.constant(row({0, 1})));
  EXPECT_DOUBLE_EQ(loss.value().item(), std::log(2));
  tape.backward(loss);
  EXPECT_EQ(z.grad().values<double>(), (std::vector<double>{.25, -.25}));
}

TEST(Losses, DistributionsWithoutCommonElementsAreLogTwoApart) {
  Tape tape;
  const Var p = tape.leaf(row({1, 0})), q = tape.leaf(row({0, 1}));
  EXPECT_NEAR(2 * js_divergence(p, q).value().item(), std::log(2), 1e-12);
  EXPECT_EQ(js_divergence(p, p).value().item(), 0);
}

TEST(Losses, SeparationCountsEachPairInBothOrders) {
  Tape tape;
  const Var p = tape.leaf(Tensor::from<double>({1, 2, 2}, {0.5, 0.5, 0.75, 0.5}));
  const Var loss = separation(p, 0.25);
  const double e = std::exp(-0.5);
  EXPECT_NEAR(loss.value().item(), 2 * e, 1e-15);
  tape.backward(loss);
  const std::vector<double> want{8 * e, 0, -8 * e, 0};  // downhill is apart
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(p.grad().values<double>()[i], want[i], 1e-13);
}

TEST(Losses, SeparationMeasuresDistancesInAFrameOfAreaOne) {
  Tape tape;
  const auto of_pair = [&](double dx, double dy, double aspect) {
    const Tensor pair = Tensor::from<double>({1, 2, 2}, {0.1, 0.1, 0.1 + dx, 0.1 + dy});
    return separation(tape.constant(pair), 0.1, aspect).value().item();
  };
  EXPECT_NEAR(of_pair(0.1, 0, 4), of_pair(0.2, 0, 1), 1e-15);
  EXPECT_NEAR(of_pair(0, 0.1, 4), of_pair(0, 0.05, 1), 1e-15);
}

TEST(Losses, SeparationOfOnePointAndOfCoincidentPointsHasNoGradient) {
  Tape tape;
  const Var one = tape.leaf(Tensor::full({3, 1, 2}, 0.5, DType::f64)),
            same = tape.leaf(Tensor::full({2, 4, 2}, 0.5, DType::f64));
  const Var loss = separation(one, 0.1);
  EXPECT_EQ(loss.value().item(), 0);
  tape.backward(loss);
  for (double g : one.grad().values<double>()) EXPECT_EQ(g, 0);
  const Var close = separation(same, 0.1);
  EXPECT_EQ(close.value().item(), 12);
  tape.backward(close);
  for (double g : same.grad().values<double>()) EXPECT_EQ(g, 0);
}

TEST(Losses, SeparationNamesEveryMismatch) {
  Tape tape;
  try {
    separation(tape.constant(row({1, 2, 3})), 0, -1);
    FAIL();
  } catch (const Error& e) {
    for (const char* part : {"points have shape [1,3]", "sigma is 0", "the aspect is -1"})
      EXPECT_NE(e.wrong.find(part), std::string::npos) << part << " in: " << e.wrong;
  }
}

TEST(Losses, DistanceNamesEveryMismatch) {
  Tape tape;
  const Var x = tape.leaf(row({1, 2, 3}));
  try {
    distance(x, tape.constant(row({1, 2})), Tensor::zeros({7}), -1);
    FAIL();
  } catch (const Error& e) {
    for (const char* part : {"holds no pairs", "target differs", "7 values", "beta is -1"})
      EXPECT_NE(e.wrong.find(part), std::string::npos) << part << " in: " << e.wrong;
  }
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
