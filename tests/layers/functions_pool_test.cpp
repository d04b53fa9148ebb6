#include "layers/functions_pool.h"

#include <gtest/gtest.h>

#include "tests/caught.h"

namespace cairn {
namespace {

// One image of one channel.
Tensor image(int64_t height, const std::vector<double>& v) {
  return Tensor::from<double>({1, height, int64_t(v.size()) / height, 1}, v);
}

std::vector<double> values(const Tensor& t) { return t.values<double>(); }

TEST(MaxPool, TheFirstOfEqualElementsGetsTheGradient) {
  Tape tape;
  const Var x = tape.leaf(image(2, {1, 5, 2, 2, 5, 5, 2, 2}));
  const Var y = max_pool(x, 2, 2);
  EXPECT_EQ(values(y.value()), (std::vector<double>{5, 2}));
  tape.backward(y, image(1, {10, 20}));
  EXPECT_EQ(values(x.grad()), (std::vector<double>{0, 10, 20, 0, 0, 0, 0, 0}));
}

TEST(MaxPool, OverlappingWindowsAddUp) {
  Tape tape;
  const Var x = tape.leaf(image(1, {1, 9, 2}));
  const Var y = max_pool(x, 3, 1, 1);
  EXPECT_EQ(values(y.value()), (std::vector<double>{9, 9, 9}));
  tape.backward(y, image(1, {1, 2, 4}));
  EXPECT_EQ(values(x.grad()), (std::vector<double>{0, 7, 0}));
}

TEST(MaxPool, RefusesWindowsThatDoNotFit) {
  Tape tape;
  const Var x = tape.leaf(image(2, {1, 2, 3, 4}));
  EXPECT_NE(wrong([&] { max_pool(x, 3, 1); }).find("a window of 3 does not fit"),
            std::string::npos);
  EXPECT_NE(wrong([&] { max_pool(x, 2, 0, 2); }).find("stride is 0; padding 2"), std::string::npos);
}

TEST(AvgPool, BlocksBecomeTheirMeansAndShareTheGradient) {
  Tape tape;
  const Var x = tape.leaf(image(2, {1, 5, 2, 2, 3, 7, 2, 6}));
  const Var y = avg_pool(x);
  EXPECT_EQ(values(y.value()), (std::vector<double>{4, 3}));
  tape.backward(y, image(1, {4, 8}));
  EXPECT_EQ(values(x.grad()), (std::vector<double>{1, 1, 2, 2, 1, 1, 2, 2}));
  EXPECT_NE(wrong([&] {
              avg_pool(x, {2, 3});
            }).find("blocks of 2x3 do not cover it"),
            std::string::npos);
}

TEST(WindowMean, WindowsOverlapAndShareTheirGradients) {
  Tape tape;
  const Var x = tape.leaf(image(2, {1, 5, 2, 2, 3, 7}));
  const Var y = window_mean(x, 2);
  EXPECT_EQ(values(y.value()), (std::vector<double>{2.75, 4.25}));
  tape.backward(y, image(1, {4, 8}));
  EXPECT_EQ(values(x.grad()), (std::vector<double>{1, 3, 2, 1, 3, 2}));
  EXPECT_NE(wrong([&] { window_mean(x, 3); }).find("a window of 3 does not fit"),
            std::string::npos);
  EXPECT_NE(wrong([&] { window_mean(x, 0); }).find("size is 0"), std::string::npos);
}

TEST(UpsampleNearest, PixelsBecomeSquaresAndTheirGradientsSum) {
  Tape tape;
  const Var x = tape.leaf(image(1, {3, 4}));
  const Var y = upsample_nearest(x, 2);
  EXPECT_EQ(values(y.value()), (std::vector<double>{3, 3, 4, 4, 3, 3, 4, 4}));
  tape.backward(y, image(2, {1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(values(x.grad()), (std::vector<double>{14, 22}));
  EXPECT_NE(wrong([&] { upsample_nearest(x, 0); }).find("the factor is 0"), std::string::npos);
}

TEST(UpsampleAdd, EqualsTheSumWithTheDoubledMapInValuesAndGradients) {
  Tape tape;
  const Var low = tape.leaf(image(1, {3, 4}));
  const Var skip = tape.leaf(image(2, {1, 2, 3, 4, 5, 6, 7, 8}));
  const Var y = upsample_add(skip, low);
  EXPECT_EQ(values(y.value()), (std::vector<double>{4, 5, 7, 8, 8, 9, 11, 12}));
  tape.backward(y, image(2, {1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(values(skip.grad()), (std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(values(low.grad()), (std::vector<double>{14, 22}));
  EXPECT_NE(wrong([&] { upsample_add(low, skip); }).find("skip is not twice as high and wide"),
            std::string::npos);
}

TEST(UpsampleBilinear, EdgesAndCornersAreTheTwoConventions) {
  Tape tape(false);
  const Var x = tape.constant(image(1, {0, 4}));
  EXPECT_EQ(values(upsample_bilinear(x, 1, 4).value()), (std::vector<double>{0, 1, 3, 4}));
  EXPECT_EQ(values(upsample_bilinear(x, 1, 5, Align::corners).value()),
            (std::vector<double>{0, 1, 2, 3, 4}));
}

TEST(UpsampleBilinear, ARampStaysARamp) {
  Tape tape(false);
  const Var x = tape.constant(image(1, {0, 1, 2, 3, 4, 5, 6, 7}));
  const auto y = values(upsample_bilinear(x, 1, 24).value());
  for (int j = 2; j < 22; ++j) EXPECT_NEAR(y[j], (j + 0.5) / 3 - 0.5, 1e-12);
}

TEST(UpsampleBilinear, RefusesEmptyAndHugeSizes) {
  Tape tape;
  const Var x = tape.leaf(image(1, {3, 4}));
  EXPECT_NE(wrong([&] { upsample_bilinear(x, 0, 4); }).find("0x4"), std::string::npos);
  EXPECT_NE(wrong([&] { upsample_bilinear(x, 4, 100000); }).find("16384"), std::string::npos);
}

TEST(DepthToSpace, SpaceToDepthIsItsInverse) {
  Tape tape;
  std::vector<double> v(2 * 3 * 64);
  for (size_t i = 0; i < v.size(); ++i) v[i] = double(i);
  const Var deep = tape.leaf(Tensor::from<double>({1, 2, 3, 64}, v));
  const Var wide = depth_to_space(deep, 8);
  // Channel 8 u + v of a cell is its pixel (u, v): cell (1, 2), channel 8*3 + 5.
  EXPECT_EQ(values(wide.value())[(8 + 3) * 24 + 16 + 5], (3 + 2) * 64 + 8 * 3 + 5);
  const Var back = space_to_depth(wide, 8);
  EXPECT_EQ(values(back.value()), v);
  tape.backward(back, deep.value());
  EXPECT_EQ(values(deep.grad()), v);
}

TEST(DepthToSpace, SaysWhatDoesNotDivide) {
  Tape tape;
  const Var x = tape.leaf(Tensor::zeros({1, 3, 4, 65}));
  EXPECT_NE(wrong([&] { depth_to_space(x, 8); }).find("65 channels do not divide by 64"),
            std::string::npos);
  EXPECT_NE(wrong([&] { space_to_depth(x, 2); }).find("do not divide by 2"), std::string::npos);
}

}  // namespace
}  // namespace cairn
