#include "layers/functions_heatmap.h"

#include <gtest/gtest.h>

#include "runtime/random.h"
#include "tests/caught.h"

namespace cairn {
namespace {

Tensor map64(const Shape& shape, const std::vector<double>& values) {
  return Tensor::from<double>(shape, values);
}

TEST(SoftArgmax, GivesTheGoldenMomentsOfASmallMap) {
  Tape tape;
  const Var z = tape.constant(map64({1, 3, 3, 1}, {0, 1, 2, 0, 3, 0, -1, 0, 1}));
  const PointMoments m = soft_argmax(z);
  const auto point = m.point.value().values<double>(),
             variance = m.variance.value().values<double>();
  EXPECT_NEAR(point[0], 0.578144532, 1e-9);
  EXPECT_NEAR(point[1], 0.437219616, 1e-9);
  EXPECT_NEAR(variance[0], 0.034056659, 1e-9);
  EXPECT_NEAR(variance[1], 0.041343232, 1e-9);
  EXPECT_NEAR(2 * 3.141592653589793 * 2.718281828459045 * (variance[0] + variance[1]) / 2,
              0.643895031, 1e-8);
}

TEST(SoftArgmax, EqualsTheMomentsOfTheSpatialSoftmax) {
  Tape tape;
  Tensor z = Tensor::empty({2, 9, 7, 3}, DType::f64);
  Random random(3);
  for (int64_t i = 0; i < z.count(); ++i) z.data<double>()[i] = random.normal();
  const Var logits = tape.constant(z);
  const auto fused = soft_argmax(logits, 5).point.value().values<double>();
  const auto composed = spatial_moments(spatial_softmax(logits, 5)).point.value().values<double>();
  for (size_t i = 0; i < fused.size(); ++i) EXPECT_NEAR(fused[i], composed[i], 2e-6);
}

TEST(SoftArgmax, AFloorDrawsThePointToTheCentreInProportionToItsWeight) {
  const int64_t side = 16;
  const double r = 0.3;
  Tensor map = Tensor::full({1, side, side, 1}, r / double(side * side), DType::f64);
  map.data<double>()[3 * side + 12] += 1 - r;  // row 3, column 12
  Tape tape;
  const auto point = spatial_moments(tape.constant(map)).point.value().values<double>();
  EXPECT_NEAR(point[0], (1 - r) * 12.5 / 16 + r * 0.5, 2e-6);
  EXPECT_NEAR(point[1], (1 - r) * 3.5 / 16 + r * 0.5, 2e-6);
}

TEST(SoftArgmax, FindsTheCentreOfARenderedGaussian) {
  Random random(1);
  for (int i = 0; i < 20; ++i) {
    Tape tape;
    const double x = random.uniform(.25, .75), y = random.uniform(.25, .75);
    const Var map =
        gaussian(tape.constant(map64({1, 1, 2}, {x, y})), tape.constant(map64({1, 1}, {0.05})),
                 tape.constant(map64({1, 1}, {1})), 48, 48);
    const auto point = spatial_moments(map).point.value().values<double>();
    EXPECT_NEAR(point[0], x, 1e-3);
    EXPECT_NEAR(point[1], y, 1e-3);
  }
}

TEST(SoftArgmax, IsTrainedThroughTheVarianceAlone) {
  Tape tape;
  const Var z = tape.leaf(map64({1, 3, 3, 1}, {0, 1, 2, 0, 3, 0, -1, 0, 1}));
  tape.backward(soft_argmax(z).variance, map64({1, 1, 2}, {1, 0}));
  double sum = 0, largest = 0;
  for (double g : z.grad().values<double>()) {
    sum += g;
    largest = std::max(largest, std::abs(g));
  }
  EXPECT_NEAR(sum, 0, 1e-15) << "a softmax does not feel a constant";
  EXPECT_GT(largest, 1e-4);
}

TEST(GaussianStack, SumsToOneAtEveryPixel) {
  Tape tape;
  const Var y = gaussian_stack(tape.constant(map64({1, 2, 2}, {.2, .3, .7, .9})), 0.1, 1, 8, 12);
  const auto values = y.value().values<double>();
  for (size_t i = 0; i < values.size(); i += 3)
    EXPECT_NEAR(values[i] + values[i + 1] + values[i + 2], 1, 1e-12);
}

TEST(GaussianTargets, StampOfThreePixelsHasTheKnownValues) {
  const Tensor y = gaussian_targets(Tensor::from<float>({1, 1, 1, 2}, {3.4f, 1.6f}),
                                    Tensor::from<uint8_t>({1, 1, 1}, {1}), 5, 7,
                                    {0.75, 1, TargetCentre::rounded});
  const auto at = [&](int row, int column) { return y.values<float>()[row * 7 + column]; };
  EXPECT_FLOAT_EQ(at(2, 3), 1);
  EXPECT_NEAR(at(2, 4), 0.41111, 1e-5);
  EXPECT_NEAR(at(1, 2), 0.16901, 1e-5);
  EXPECT_EQ(at(2, 5), 0);
}

TEST(GaussianTargets, AnInvisiblePointLeavesAnEmptyMap) {
  const Tensor y = gaussian_targets(Tensor::from<float>({1, 1, 1, 2}, {3, 2}),
                                    Tensor::from<uint8_t>({1, 1, 1}, {0}), 5, 7);
  for (float v : y.values<float>()) EXPECT_EQ(v, 0);
}

TEST(HeatmapFunctions, NameEverythingThatDoesNotFit) {
  Tape tape;
  const Var flat = tape.constant(Tensor::zeros({3, 4}));
  const Var empty = tape.constant(Tensor::zeros({1, 0, 4, 2}));
  const Var centre = tape.constant(Tensor::zeros({1, 3, 2}));
  const std::string two = error_of([&] { soft_argmax(flat, -1); });
  EXPECT_NE(two.find("rank 2"), std::string::npos) << two;
  EXPECT_NE(two.find("gain is -1"), std::string::npos) << two;
  EXPECT_NE(error_of([&] { spatial_softmax(empty); }).find("no pixels"), std::string::npos);
  EXPECT_NE(error_of([&] { spatial_moments(empty); }).find("no pixels"), std::string::npos);
  const std::string sizes = error_of([&] { gaussian(centre, flat, flat, 4, 4); });
  EXPECT_NE(sizes.find("sigma has shape [3,4]"), std::string::npos) << sizes;
  EXPECT_NE(sizes.find("amplitude has shape [3,4]"), std::string::npos) << sizes;
  const std::string stack = error_of([&] { gaussian_stack(centre, 0, -1, 4, 0); });
  EXPECT_NE(stack.find("sigma is 0; the background is -1"), std::string::npos) << stack;
  const std::string targets = error_of([&] {
    gaussian_targets(Tensor::zeros({1, 2, 3, 2}), Tensor::zeros({1, 2}), 4, 4);
  });
  EXPECT_NE(targets.find("visible has shape [1,2]; visible is f32"), std::string::npos) << targets;
}

}  // namespace
}  // namespace cairn
