#include "training/filters.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "runtime/error.h"
#include "runtime/random.h"

namespace cairn {
namespace {

GrayImage noise(int height, int width, uint64_t seed) {
  Random r(seed);
  GrayImage image(height, width);
  for (uint8_t& p : image.pixels) p = uint8_t(r.integer(0, 255));
  return image;
}

int largest_difference(const GrayImage& a, const GrayImage& b) {
  int worst = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i)
    worst = std::max(worst, std::abs(a.pixels[i] - b.pixels[i]));
  return worst;
}

TEST(Filters, SigmaFollowsTheKernelSide) {
  EXPECT_NEAR(gaussian_sigma(3), 0.8, 1e-12);
  EXPECT_NEAR(gaussian_sigma(5), 1.1, 1e-12);
  EXPECT_NEAR(gaussian_sigma(11), 2.0, 1e-12);
  EXPECT_NEAR(gaussian_sigma(21), 3.5, 1e-12);
}

TEST(Filters, BoxBlurIsTheMeanOverTheReflectedWindow) {
  const GrayImage image = noise(23, 31, 1);
  for (int side : {1, 2, 7, 8, 23}) {
    const GrayImage blurred = box_blur(image, side);
    for (int y = 0; y < image.height; ++y)
      for (int x = 0; x < image.width; ++x) {
        int sum = 0;
        for (int v = 0; v < side; ++v)
          for (int u = 0; u < side; ++u)
            sum += image.row(reflect101(y - side / 2 + v, 23))[reflect101(x - side / 2 + u, 31)];
        ASSERT_NEAR(blurred.row(y)[x], double(sum) / (side * side), 0.5 + 1e-9);
      }
  }
}

TEST(Filters, ReducingInOneStepDiffersByAtMostOneFromBlurThenResize) {
  for (const auto [side, factor] : {std::pair{21, 8}, {11, 4}, {3, 2}}) {
    const GrayImage image = noise(96, 160, 2);
    const GrayImage exact = resize_bilinear(gaussian_blur(image, side), 96 / factor, 160 / factor);
    EXPECT_LE(largest_difference(blur_and_reduce(image, side, factor), exact), 1) << side;
  }
}

TEST(Filters, AConstantStaysItselfThroughEveryFilter) {
  for (int value : {0, 1, 127, 254, 255}) {
    const GrayImage image(64, 64, uint8_t(value));
    for (const GrayImage& out :
         {box_blur(image, 33), gaussian_blur(image, 21), blur_and_reduce(image, 21, 8),
          resize_bilinear(image, 10, 100), resize_area(image, 13, 7)})
      for (uint8_t p : out.pixels) ASSERT_EQ(p, value);
  }
}

TEST(Filters, ResizingARampIsCentreAligned) {
  GrayImage ramp(4, 100);
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 100; ++x) ramp.row(y)[x] = uint8_t(2 * x);
  const GrayImage half = resize_bilinear(ramp, 2, 50), quarter = resize_area(ramp, 1, 25);
  for (int x = 0; x < 50; ++x) EXPECT_EQ(half.row(1)[x], 2 * (2 * x + 0.5));
  for (int x = 0; x < 25; ++x) EXPECT_EQ(quarter.row(0)[x], 2 * (4 * x + 1.5));
}

TEST(Filters, AreaMeansWeighPartlyCoveredPixels) {
  GrayImage image(1, 3);
  image.pixels = {30, 60, 90};
  const GrayImage out = resize_area(image, 1, 2);  // 1 + 1/2 pixels each
  EXPECT_EQ(out.pixels[0], 40);
  EXPECT_EQ(out.pixels[1], 80);
}

TEST(Filters, SizesThatDoNotFitAreRefused) {
  const GrayImage image(16, 24);
  EXPECT_THROW(box_blur(image, 17), Error);
  EXPECT_THROW(gaussian_blur(image, 4), Error);
  EXPECT_THROW(gaussian_blur(image, 33), Error);
  EXPECT_THROW(resize_area(image, 32, 24), Error);
  EXPECT_THROW(blur_and_reduce(image, 21, 3), Error);
  EXPECT_THROW(blur_and_reduce(image, 20, 8), Error);
}

}  // namespace
}  // namespace cairn
