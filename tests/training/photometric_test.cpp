#include "training/photometric.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/error.h"

namespace cairn {
namespace {

using namespace photometric;

Tensor grey(double value) { return Tensor::full({120, 160, 1}, value); }

double mean(const Tensor& t) {
  double sum = 0;
  for (float v : t.values<float>()) sum += v;
  return sum / double(t.count());
}

TEST(Photometric, SameNumbersSameImageAndAlwaysWithinRange) {
  for (int i = 0; i < 20; ++i) {
    Tensor a = grey(120), b = grey(120);
    Random r(1, uint64_t(i)), s(1, uint64_t(i));
    augment(a, Photometric::synthetic_shapes(), r);
    augment(b, Photometric::synthetic_shapes(), s);
    EXPECT_EQ(a.values<float>(), b.values<float>());
    for (float v : a.values<float>()) ASSERT_TRUE(v >= 0 && v <= 255);
  }
}

TEST(Photometric, NoiseHasTheAskedSpreadAndNoMean) {
  Tensor image = grey(0);
  Random r(2);
  add_noise(image, 10, r);
  double square = 0, fourth = 0;
  for (float v : image.values<float>()) {
    square += v * v / double(image.count());
    fourth += v * v * v * v / double(image.count());
  }
  EXPECT_NEAR(mean(image), 0, 0.3);
  EXPECT_NEAR(std::sqrt(square), 10, 0.2);
  EXPECT_NEAR(fourth / (square * square), 3, 0.15);  // as of a normal distribution
}

TEST(Photometric, SpeckleBlackensAndWhitensTheAskedShare) {
  int black = 0, white = 0;
  Random r(3);
  for (int i = 0; i < 20; ++i) {
    Tensor image = grey(100);
    speckle(image, 0.003, r);
    for (float v : image.values<float>()) {
      black += v == 0;
      white += v == 255;
    }
  }
  const double expected = 20 * 120 * 160 * 0.003;  // 1152, standard deviation 34
  EXPECT_NEAR(black, expected, 150);
  EXPECT_NEAR(white, expected, 150);
}

TEST(Photometric, ContrastKeepsTheMean) {
  Tensor image = Tensor::from<float>({1, 3, 1}, {10, 20, 60});
  contrast(image, 0.5);
  EXPECT_EQ(image.values<float>(), (std::vector<float>{20, 25, 45}));
}

TEST(Photometric, MotionSmearsADotAlongItsDirectionAlone) {
  struct Case {
    Motion direction;
    int dx, dy;
  };
  for (const Case& c : {Case{Motion::horizontal, 1, 0}, Case{Motion::vertical, 0, 1},
                        Case{Motion::falling, 1, 1}, Case{Motion::rising, 1, -1}}) {
    Tensor image = Tensor::zeros({15, 17, 1});
    const auto at = [&](int x, int y) -> float& { return image.data<float>()[y * 17 + x]; };
    at(8, 7) = 1;
    blur_motion(image, c.direction, 5);
    double sum = 0;
    for (int k = -2; k <= 2; ++k) {
      const double d = k * k * (c.dx * c.dx + c.dy * c.dy);
      EXPECT_NEAR(at(8 + k * c.dx, 7 + k * c.dy) / at(8, 7), std::exp(-d / (2 * 25 / 16.0)), 1e-6);
      sum += at(8 + k * c.dx, 7 + k * c.dy);
    }
    EXPECT_NEAR(sum, 1, 1e-6);
  }
}

TEST(Photometric, AMotionOfOnePixelChangesNothing) {
  Random r(4);
  Tensor image = grey(50);
  add_noise(image, 10, r);
  const std::vector<float> before = image.values<float>();
  blur_motion(image, Motion::falling, 1);
  EXPECT_EQ(image.values<float>(), before);
}

TEST(Photometric, ShadeDarkensWithPositiveTransparencyAndLightensWithNegative) {
  Random r(5);
  Tensor dark = grey(100), light = grey(100);
  shade(dark, 0.8, 50, r);
  shade(light, -0.5, 50, r);
  EXPECT_LT(mean(dark), 95);
  EXPECT_GT(mean(light), 103);
  for (float v : dark.values<float>()) ASSERT_GE(v, 20 - 1e-3);
}

TEST(Photometric, AnotherTypeOrShapeIsRefused) {
  Tensor bytes = Tensor::zeros({8, 8, 1}, DType::u8), colour = Tensor::zeros({8, 8, 3});
  Random r(1);
  EXPECT_THROW(augment(bytes, {}, r), Error);
  EXPECT_THROW(augment(colour, {}, r), Error);
}

}  // namespace
}  // namespace cairn
