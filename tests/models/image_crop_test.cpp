#include "models/image_crop.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/random.h"
#include "tests/caught.h"

namespace cairn {
namespace {

// A bright bell of this standard deviation, in every channel.
Tensor dot(int64_t height, int64_t width, int64_t channels, Point at, double sigma) {
  Tensor image = Tensor::zeros({height, width, channels}, DType::u8);
  uint8_t* v = image.data<uint8_t>();
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < channels; ++c) {
        const double square = std::pow(double(x) - at.x, 2) + std::pow(double(y) - at.y, 2);
        *v++ = uint8_t(std::lround(250 * std::exp(-square / (2 * sigma * sigma))));
      }
  return image;
}

Point centroid(const Tensor& image) {
  const uint8_t* v = image.data<uint8_t>();
  double sum = 0, x_sum = 0, y_sum = 0;
  for (int64_t y = 0; y < image.dim(0); ++y)
    for (int64_t x = 0; x < image.dim(1); ++x)
      for (int64_t c = 0; c < image.dim(2); ++c, ++v) {
        sum += *v;
        x_sum += double(x) * *v;
        y_sum += double(y) * *v;
      }
  return {x_sum / sum, y_sum / sum};
}

TEST(ImageCrop, ADotIsFoundWhereTheMatrixPutsItUnderEveryTransform) {
  Random random(1);
  for (int i = 0; i < 60; ++i) {
    CropFrame frame;
    frame.centre = {random.uniform(150, 250), random.uniform(120, 180)};
    frame.scale = std::exp(random.uniform(std::log(0.12), std::log(3)));  // shrinks and enlarges
    frame.rotation = random.uniform(-3, 3);
    frame.mirrored = i % 2;
    const Matrix3 m = to_crop(frame, 80, 96);
    const Point in_crop{random.uniform(20, 75), random.uniform(20, 60)};
    const Point p = apply(inverse(m), in_crop);
    const double sigma = 3 / std::min(frame.scale, 1.5);
    if (!(p.x > 4 * sigma && p.x < 400 - 4 * sigma && p.y > 4 * sigma && p.y < 300 - 4 * sigma))
      continue;  // of the dots, only whole ones
    const Point found = centroid(crop_image(dot(300, 400, 1 + 2 * (i % 2), p, sigma), m, 80, 96));
    EXPECT_NEAR(found.x, in_crop.x, 0.03) << "scale " << frame.scale;
    EXPECT_NEAR(found.y, in_crop.y, 0.03) << "scale " << frame.scale;
  }
}

TEST(ImageCrop, TheIdentityCopiesAndBeyondTheImageIsBlack) {
  const Tensor image = dot(20, 30, 3, {10, 9}, 5);
  EXPECT_EQ(crop_image(image, {}, 20, 30).values<uint8_t>(), image.values<uint8_t>());
  const Tensor white = Tensor::full({20, 30, 1}, 255, DType::u8);
  const Tensor wide = crop_image(white, translation(5, 3), 30, 40);
  for (int64_t y = 0; y < 30; ++y)
    for (int64_t x = 0; x < 40; ++x)
      ASSERT_EQ(wide.data<uint8_t>()[y * 40 + x], x >= 5 && x < 35 && y >= 3 && y < 23 ? 255 : 0);
}

TEST(ImageCrop, ShrinkingAveragesInsteadOfPickingPixels) {
  Tensor board = Tensor::empty({64, 64, 1}, DType::u8);  // single pixels of black and white
  for (int64_t i = 0; i < 64 * 64; ++i) board.data<uint8_t>()[i] = (i / 64 + i) % 2 ? 255 : 0;
  for (double shrink : {2.0, 4.0, 6.4}) {
    const int64_t side = int64_t(64 / shrink);
    const Tensor small = crop_image(
        board, to_crop(frame_of(Box{-.5, -.5, 64, 64}, 1, side, side), side, side), side, side);
    for (int64_t y = 1; y + 1 < side; ++y)
      for (int64_t x = 1; x + 1 < side; ++x)
        ASSERT_NEAR(small.data<uint8_t>()[y * side + x], 128, 1) << shrink;
  }
}

TEST(ImageCrop, AnExtremeFrameGivesAPictureAndNoError) {
  const Tensor white = Tensor::full({20, 30, 3}, 255, DType::u8);
  CropFrame frame;
  frame.centre = {14.5, 9.5};
  frame.scale = 1e-3;  // the whole image within a fraction of a pixel
  EXPECT_EQ(crop_image(white, to_crop(frame, 9, 9), 9, 9).count(), 9 * 9 * 3);
  frame.centre = {1e6, -1e6};  // nothing of it
  for (double scale : {1.0, 0.2}) {
    frame.scale = scale;
    for (uint8_t v : crop_image(white, to_crop(frame, 9, 9), 9, 9).values<uint8_t>())
      ASSERT_EQ(v, 0);
  }
}

TEST(ImageCrop, RefusesOtherTypesAndMatricesWithoutInverse) {
  EXPECT_NE(wrong([] {
              crop_image(Tensor::zeros({4, 4, 1}), {}, 4, 4);
            }).find("f32[4,4,1]"),
            std::string::npos);
  EXPECT_THROW(crop_image(Tensor::zeros({4, 4, 1}, DType::u8), resizing(0, 0), 4, 4), Error);
}

}  // namespace
}  // namespace cairn
