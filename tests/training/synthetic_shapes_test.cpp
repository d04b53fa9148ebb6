#include "training/synthetic_shapes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "geometry/homography.h"
#include "runtime/error.h"
#include "training/filters.h"
#include "training/shapes/background.h"

namespace cairn {
namespace {

TEST(SyntheticShapes, AnImageIsTheSameInAnyOrder) {
  const SyntheticShapes options;
  const LabelledImage second = synthetic_shape(options, 3, 41);
  synthetic_shape(options, 3, 40);
  const LabelledImage again = synthetic_shape(options, 3, 41);
  EXPECT_EQ(second.image.values<uint8_t>(), again.image.values<uint8_t>());
  ASSERT_EQ(second.points.size(), again.points.size());
  EXPECT_NE(synthetic_shape(options, 3, 42).image.values<uint8_t>(), again.image.values<uint8_t>());
}

TEST(SyntheticShapes, LabelsLieInsideTheImageAndOnlyCornerlessPrimitivesHaveNone) {
  for (const auto [height, width] : {std::pair{120, 160}, {240, 320}}) {
    SyntheticShapes options;
    options.height = height;
    options.width = width;
    for (int p = 0; p < primitive_count; ++p) {
      size_t labels = 0;
      for (int i = 0; i < 10; ++i) {
        const LabelledImage s = synthetic_shape(options, Primitive(p), 1, i);
        EXPECT_EQ(s.image.shape(), Shape({height, width, 1}));
        labels += s.points.size();
        for (Point q : s.points)
          EXPECT_TRUE(q.x >= -0.5 && q.x < width - 0.5 && q.y >= -0.5 && q.y < height - 0.5)
              << name(Primitive(p)) << " " << q.x << " " << q.y;
      }
      const bool cornerless =
          Primitive(p) == Primitive::ellipses || Primitive(p) == Primitive::gaussian_noise;
      EXPECT_EQ(labels == 0, cornerless) << name(Primitive(p));
    }
  }
}

TEST(SyntheticShapes, AmountsDecideWhatIsDrawn) {
  SyntheticShapes options;
  options.amounts = {};
  options.amounts[int(Primitive::star)] = 1;
  for (int i = 0; i < 5; ++i) {
    const LabelledImage mixed = synthetic_shape(options, 9, i);
    EXPECT_EQ(mixed.image.values<uint8_t>(),
              synthetic_shape(options, Primitive::star, 9, i).image.values<uint8_t>());
  }
}

TEST(SyntheticShapes, PublishedLabelScaleIsOff7SixteenthsOfAPixel) {
  SyntheticShapes options;
  const LabelledImage ours = synthetic_shape(options, Primitive::cube, 1, 0);
  options.compat_label_scale = true;
  const LabelledImage theirs = synthetic_shape(options, Primitive::cube, 1, 0);
  for (size_t i = 0; i < ours.points.size(); ++i) {
    EXPECT_NEAR(theirs.points[i].x - ours.points[i].x, 0.4375, 1e-12);
    EXPECT_NEAR(theirs.points[i].y - ours.points[i].y, 0.4375, 1e-12);
  }
}

// The centroid of a reduced disc is where the label of its centre goes.
TEST(SyntheticShapes, ADotOnTheCanvasIsFoundWhereItsLabelIs) {
  for (const auto [side, factor] : {std::pair{21, 8}, {11, 4}}) {
    const Point p{613, 322};
    GrayImage canvas(960, 1280);
    fill_disc(canvas, p, 12, 255);
    const GrayImage image = blur_and_reduce(canvas, side, factor);
    double x = 0, y = 0, sum = 0;
    for (int v = 0; v < image.height; ++v)
      for (int u = 0; u < image.width; ++u) {
        x += double(u) * image.row(v)[u];
        y += double(v) * image.row(v)[u];
        sum += image.row(v)[u];
      }
    const Point label = apply(resizing(1.0 / factor, 1.0 / factor), p);
    EXPECT_NEAR(x / sum, label.x, 0.02);
    EXPECT_NEAR(y / sum, label.y, 0.02);
  }
}

TEST(SyntheticShapes, AnotherSizeIsRefused) {
  SyntheticShapes options;
  options.height = 128;
  EXPECT_THROW(synthetic_shape(options, 1, 1), Error);
}

// The full pipeline (box blur of every pixel of the noisy canvas, Gaussian blur, resize) against
// the fast one (box blur from 8x8 blocks, Gaussian at the output pixels alone).
TEST(SyntheticShapes, TheFastBackgroundEqualsTheFullPipelineWithinOneLevel) {
  int worst = 0, worst_on_canvas = 0;
  double sum = 0, count = 0;
  for (int i = 0; i < 12; ++i) {
    Random random(17, uint64_t(i));
    shapes::RoughBackground rough(random);
    if (i < 4) rough.side = 150 + i;  // the hardest: the smallest windows
    for (uint8_t& p : rough.image.pixels)
      if (p == rough.level) p = random.uniform() * 255 < rough.level ? 255 : 0;
    const GrayImage exact = box_blur(rough.image, rough.side);
    const GrayImage fast = shapes::wide_box_blur(shapes::BlockMeans(rough.image), rough.side);
    for (size_t k = 0; k < exact.pixels.size(); ++k)
      worst_on_canvas = std::max(worst_on_canvas, std::abs(exact.pixels[k] - fast.pixels[k]));
    const GrayImage a = resize_bilinear(gaussian_blur(exact, 21), 120, 160);
    const GrayImage b = blur_and_reduce(fast, 21, 8);
    for (size_t k = 0; k < a.pixels.size(); ++k) {
      const int d = std::abs(a.pixels[k] - b.pixels[k]);
      worst = std::max(worst, d);
      sum += d;
      ++count;
    }
  }
  EXPECT_LE(worst_on_canvas, 2);
  EXPECT_LE(worst, 1);
  EXPECT_LT(sum / count, 0.15);
}

// Noise drawn per block leaves the same spread under the blur as noise drawn per pixel.
TEST(SyntheticShapes, NoiseOfBlocksSpreadsLikeNoiseOfPixels) {
  Random random(23);
  const int level = 100, side = 160;
  GrayImage noise(960, 1280);
  for (uint8_t& p : noise.pixels) p = random.uniform() * 255 < level ? 255 : 0;
  shapes::BlockMeans blocks(noise);
  double square = 0;
  for (float v : blocks.values) square += (v - level) * (v - level);
  const double p = level / 255.0, expected = 255 * std::sqrt(p * (1 - p)) / 8;
  EXPECT_NEAR(std::sqrt(square / double(blocks.values.size())), expected, 0.03 * expected);
  const GrayImage fast = shapes::wide_box_blur(blocks, side), exact = box_blur(noise, side);
  for (size_t i = 0; i < fast.pixels.size(); ++i)
    ASSERT_LE(std::abs(fast.pixels[i] - exact.pixels[i]), 1);
}

}  // namespace
}  // namespace cairn
