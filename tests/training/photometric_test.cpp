#include "training/photometric.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/augment/normal_quantile.h"
#include "runtime/error.h"

namespace cairn {
namespace {

Tensor grey(double value) { return Tensor::full({120, 160, 1}, value); }

double mean(const Tensor& t) {
  double sum = 0;
  for (float v : t.values<float>()) sum += v;
  return sum / double(t.count());
}

PhotometricDraw draw(uint64_t sample, const Photometric& range = {}) {
  Random random(1, sample);
  return random_changes(range, 120, 160, random);
}

// One of the changes alone.
PhotometricDraw only(PhotometricChange change, uint64_t sample = 0) {
  PhotometricDraw d = draw(sample);
  std::fill_n(d.plan.order, photometric_changes, PhotometricChange::none);
  d.plan.order[3] = change;
  return d;
}

TEST(Photometric, SameNumbersSameImageAndAlwaysWithinRange) {
  for (uint64_t i = 0; i < 20; ++i) {
    const Tensor a = augmented(grey(120), draw(i)), b = augmented(grey(120), draw(i));
    EXPECT_EQ(a.values<float>(), b.values<float>());
    for (float v : a.values<float>()) ASSERT_TRUE(v >= 0 && v <= 1);
  }
}

TEST(Photometric, WhatIsDrawnStaysInItsRangesAndEveryOrderHasEachChangeOnce) {
  const Photometric range;
  for (uint64_t i = 0; i < 200; ++i) {
    PhotometricDraw d = draw(i);
    std::sort(d.plan.order, d.plan.order + photometric_changes);
    for (int k = 0; k < photometric_changes; ++k) EXPECT_EQ(int(d.plan.order[k]), k);
    EXPECT_LE(std::abs(d.amounts.brightness), range.brightness);
    EXPECT_TRUE(d.amounts.contrast >= 0.3f && d.amounts.contrast <= 1.8f);
    EXPECT_TRUE(d.amounts.noise >= 0 && d.amounts.noise <= 15);
    EXPECT_TRUE(d.amounts.speckle >= 0 && d.amounts.speckle <= 0.0035f);
    EXPECT_TRUE(d.amounts.shade >= -0.5f && d.amounts.shade <= 0.8f);
    EXPECT_TRUE(d.plan.shade_reach >= 25 && d.plan.shade_reach <= 49);
    EXPECT_TRUE(d.plan.motion_reach >= 0 && d.plan.motion_reach <= 3);
  }
}

TEST(Photometric, QuantilesAreThoseOfTheNormalDistribution) {
  double square = 0;
  for (int i = 0; i < normal_parts; ++i) {
    const double z = normal_quantile<double>(i);
    EXPECT_NEAR(std::erfc(-z / std::sqrt(2.0)) / 2, (i + 0.5) / normal_parts, 2e-7) << i;
    EXPECT_NEAR(normal_quantile<float>(i), z, 2e-6 * std::max(1.0, std::abs(z))) << i;
    square += z * z / normal_parts;
  }
  EXPECT_NEAR(square, 1, 1e-3);
}

TEST(Photometric, NoiseHasTheAskedSpreadAndNoMean) {
  PhotometricDraw d = only(PhotometricChange::noise);
  d.amounts.noise = 10;
  Tensor host = grey(0);
  Random r(2);
  add_noise(host, 10, r);
  Tensor ours = augmented(grey(128), d);
  for (int64_t i = 0; i < ours.count(); ++i)
    ours.data<float>()[i] = ours.data<float>()[i] * 255 - 128;
  for (const Tensor& image : {host, ours}) {
    double square = 0, fourth = 0;
    for (float v : image.values<float>()) {
      square += v * v / double(image.count());
      fourth += v * v * v * v / double(image.count());
    }
    EXPECT_NEAR(mean(image), 0, 0.3);
    EXPECT_NEAR(std::sqrt(square), 10, 0.2);
    EXPECT_NEAR(fourth / (square * square), 3, 0.15);  // as of a normal distribution
  }
}

TEST(Photometric, SpeckleBlackensAndWhitensTheAskedShare) {
  int black = 0, white = 0;
  for (uint64_t i = 0; i < 20; ++i) {
    PhotometricDraw d = only(PhotometricChange::speckle, i);
    d.amounts.speckle = 0.003f;
    for (float v : augmented(grey(100), d).values<float>()) {
      black += v == 0;
      white += v == 1;
    }
  }
  const double expected = 20 * 120 * 160 * 0.003;  // 1152, standard deviation 34
  EXPECT_NEAR(black, expected, 150);
  EXPECT_NEAR(white, expected, 150);
}

TEST(Photometric, ContrastKeepsTheMean) {
  PhotometricDraw d = only(PhotometricChange::contrast);
  d.amounts.contrast = 0.5f;
  const Tensor image = augmented(Tensor::from<float>({1, 3, 1}, {10, 20, 60}), d);
  for (int i = 0; i < 3; ++i)
    EXPECT_NEAR(image.data<float>()[i] * 255, (std::vector{20, 25, 45}[size_t(i)]), 1e-4);
}

TEST(Photometric, MotionSmearsADotAlongItsDirectionAlone) {
  bool seen[3][3] = {};
  for (uint64_t sample = 0; sample < 60; ++sample) {
    const PhotometricDraw d = only(PhotometricChange::motion, sample);
    const int reach = d.plan.motion_reach, side = 2 * reach + 1;
    const int dx = d.plan.motion_x, dy = d.plan.motion_y;
    seen[dy + 1][dx] = true;
    Tensor image = Tensor::zeros({15, 17, 1});
    image.data<float>()[7 * 17 + 8] = 255;
    image = augmented(image, d);
    const auto at = [&](int x, int y) { return image.data<float>()[y * 17 + x]; };
    double sum = 0;
    for (int k = -reach; k <= reach; ++k) {
      const double square = k * k * (dx * dx + dy * dy);  // of a Gaussian of side / 4 pixels
      EXPECT_NEAR(at(8 + k * dx, 7 + k * dy) / at(8, 7),
                  std::exp(-square / (2 * side * side / 16.0)), 1e-6);
      sum += at(8 + k * dx, 7 + k * dy);
    }
    EXPECT_NEAR(sum, 1, 1e-6);
  }
  EXPECT_TRUE(seen[1][1] && seen[2][0] && seen[2][1] && seen[0][1]);
}

TEST(Photometric, ShadeDarkensWithPositiveTransparencyAndLightensWithNegative) {
  PhotometricDraw d = only(PhotometricChange::shade);
  d.amounts.shade = 0.8f;
  const Tensor dark = augmented(grey(100), d);
  d.amounts.shade = -0.5f;
  const Tensor light = augmented(grey(100), d);
  EXPECT_LT(mean(dark) * 255, 95);
  EXPECT_GT(mean(light) * 255, 103);
  for (float v : dark.values<float>()) ASSERT_GE(v * 255, 20 - 1e-3);
}

TEST(Photometric, AnotherTypeOrShapeIsRefused) {
  EXPECT_THROW(augmented(Tensor::zeros({8, 8, 1}, DType::i32), {}), Error);
  EXPECT_THROW(augmented(Tensor::zeros({8, 8, 3}), {}), Error);
}

TEST(Photometric, BlursThatReachBeyondTheMirrorImageAreRefused) {
  Random random(1);
  EXPECT_NO_THROW(random_changes({}, 50, 160, random));
  EXPECT_THROW(random_changes({}, 49, 160, random), Error);
  EXPECT_THROW(random_changes({.shade_side_high = 256}, 480, 640, random), Error);
}

}  // namespace
}  // namespace cairn
