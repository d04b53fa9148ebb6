#include "layers/functions_loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "layers/functions_pool.h"
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

// K maps of 12x12 with all their weight in one pixel each.
Tensor deltas(const std::vector<int64_t>& pixels) {
  const int64_t K = int64_t(pixels.size());
  Tensor p = Tensor::zeros({1, 12, 12, K}, DType::f64);
  for (int64_t k = 0; k < K; ++k) p.data<double>()[pixels[k] * K + k] = 1;
  return p;
}

double overlap(const Tensor& p, DiversityForm form, int window) {
  Tape tape;
  return diversity(window_mean(tape.constant(p), window), form).value().item();
}

TEST(Diversity, OfEqualMapsIsOneLessThanTheirNumberAndOfDistantOnesZero) {
  const Tensor equal = deltas({66, 66, 66}), distant = deltas({39, 55, 104});
  for (int window : {1, 4}) {
    EXPECT_NEAR(overlap(equal, DiversityForm::linear, window), 2, 1e-12) << window;
    EXPECT_NEAR(overlap(distant, DiversityForm::linear, window), 0, 1e-12) << window;
    EXPECT_EQ(overlap(distant, DiversityForm::quadratic, window), 0) << window;
  }
  EXPECT_NEAR(overlap(equal, DiversityForm::quadratic, 1), 6 / 9.0, 1e-12);
}

TEST(Diversity, AWindowSeesNeighboursThatShareNoPixel) {
  const Tensor neighbours = deltas({66, 67});
  EXPECT_EQ(overlap(neighbours, DiversityForm::linear, 1), 0);
  EXPECT_NEAR(overlap(neighbours, DiversityForm::linear, 4), 12 / 16.0, 1e-12);
}

TEST(Diversity, TheFirstOfEqualChannelsGetsTheGradientThroughAllItsWindows) {
  Tape tape;
  const Var p = tape.leaf(deltas({66, 66}));
  tape.backward(diversity(window_mean(p, 2)));
  const auto g = p.grad().values<double>();
  EXPECT_DOUBLE_EQ(g[2 * 66], -1);
  EXPECT_EQ(g[2 * 66 + 1], 0);
}

TEST(Diversity, NeedsMapsWithChannels) {
  Tape tape;
  try {
    diversity(tape.constant(row({1, 2})));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.wrong.find("not maps with channels (p [1,2])"), std::string::npos) << e.wrong;
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

// 2 pi e s^2 with variances of 0.01 and 0.04 in a square, s^2 = 0.025; as deviations s = 0.15.
TEST(Losses, ConcentrationIsTheExponentialOfAnEntropy) {
  Tape tape;
  const Tensor v = Tensor::from<double>({1, 1, 2}, {0.01, 0.04});
  const double two_pi_e = 2 * M_PI * std::exp(1.0);
  EXPECT_NEAR(concentration(tape.constant(v)).value().item(), two_pi_e * 0.025, 1e-12);
  EXPECT_NEAR(concentration(tape.constant(v), 1, Spread::deviation).value().item(),
              two_pi_e * 0.15 * 0.15, 1e-12);
  // Twice as wide as high: an area of 1 stretches x by the root of 2.
  EXPECT_NEAR(concentration(tape.constant(v), 2).value().item(), two_pi_e * (0.02 + 0.02) / 2,
              1e-12);
  try {
    concentration(tape.constant(Tensor::zeros({3, 4})), 0);
    FAIL();
  } catch (const Error& e) {
    for (const char* part : {"shape [3,4]", "the aspect is 0"})
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
