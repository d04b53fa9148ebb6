#include "training/textures.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "runtime/error.h"
#include "training/textures/sheet.h"

namespace cairn {
namespace {

std::vector<uint8_t> pixels(const TextureOptions& options, int64_t index) {
  return texture(options, index).values<uint8_t>();
}

TEST(Textures, AnImageDependsOnSeedAndNumberAlone) {
  const TextureOptions options{64, 80, 3};
  const std::vector<uint8_t> seventh = pixels(options, 7);
  pixels(options, 2);
  EXPECT_EQ(pixels(options, 7), seventh);
  EXPECT_NE(pixels(options, 8), seventh);
  EXPECT_NE(pixels({64, 80, 4}, 7), seventh);
}

TEST(Textures, AllKindsComeUpAndNoneIsBlank) {
  const TextureOptions options{96, 128, 1};
  std::set<TextureKind> kinds;
  for (int64_t i = 0; i < 60; ++i) {
    kinds.insert(texture_kind(options, i));
    double sum = 0, squares = 0;
    const std::vector<uint8_t> image = pixels(options, i);
    for (uint8_t v : image) {
      sum += v;
      squares += double(v) * v;
    }
    const double mean = sum / double(image.size());
    EXPECT_GT(std::sqrt(squares / double(image.size()) - mean * mean), 4)
        << "image " << i << ", " << name(texture_kind(options, i));
  }
  EXPECT_EQ(kinds.size(), size_t{texture_kinds});
}

TEST(Textures, APixelIsTheMeanOfFourPixelsOfTheSource) {
  const TextureOptions options{48, 64, 9};
  const GrayImage source = texture_source(options, 5);
  ASSERT_EQ(source.height, 96);
  ASSERT_EQ(source.width, 128);
  const Tensor image = texture(options, 5);
  for (int y : {0, 17, 47})
    for (int x : {0, 30, 63}) {
      const int sum = source.row(2 * y)[2 * x] + source.row(2 * y)[2 * x + 1] +
                      source.row(2 * y + 1)[2 * x] + source.row(2 * y + 1)[2 * x + 1];
      EXPECT_EQ(image.data<uint8_t>()[y * 64 + x], (sum + 2) / 4);
    }
}

TEST(Textures, ASizeBeyondReasonIsRefused) {
  EXPECT_THROW(texture({8, 320, 0}, 0), Error);
  EXPECT_THROW(texture({240, 5000, 0}, 0), Error);
}

// Of a field with amplitudes 1 / f^b, differences between neighbours grow with their distance d as
// d^(b - 1) for b in 1 .. 2, between the sizes of a pixel and of the field.
TEST(FractalNoise, HasUnitVarianceAndGetsSmootherWithTheExponent) {
  double ratio_before = 0;
  for (double exponent : {0.8, 1.2, 1.6}) {
    Random random(1);
    const int height = 200, width = 300;
    const std::vector<float> noise = fractal_noise(height, width, exponent, random);
    ASSERT_EQ(noise.size(), size_t(height) * width);
    double sum = 0, squares = 0, near = 0, far = 0;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x + 16 < width; ++x) {
        const float* v = &noise[size_t(y) * width + x];
        sum += v[0];
        squares += v[0] * v[0];
        near += (v[2] - v[0]) * (v[2] - v[0]);
        far += (v[16] - v[0]) * (v[16] - v[0]);
      }
    const double count = height * (width - 16.0);
    EXPECT_NEAR(sum / count, 0, 0.3);
    EXPECT_NEAR(squares / count, 1, 0.3);
    EXPECT_GT(far / near, 1.2 * ratio_before) << exponent;
    ratio_before = far / near;
  }
  EXPECT_GT(ratio_before, 4);
}

TEST(PowerLaw, AsManyPixelsOfEachSize) {
  // Density r^-3: half of the sizes above r0 lie below sqrt(2) r0, far from the upper limit.
  Random random(2);
  int below = 0;
  const int count = 20000;
  for (int i = 0; i < count; ++i) {
    const double r = textures::power_law_size(random, 3, 120);
    EXPECT_GE(r, 3);
    EXPECT_LE(r, 120);
    below += r < 3 * std::sqrt(2.0);
  }
  EXPECT_NEAR(below / double(count), 0.5, 0.02);
}

}  // namespace
}  // namespace cairn
