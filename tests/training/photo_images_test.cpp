#include "training/photo_images.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/image.h"
#include "tests/temporary_folder.h"

namespace cairn {
namespace {

// u8 [height,width,1] with value(x, y).
template <class F>
Tensor grey(int64_t height, int64_t width, F&& value) {
  Tensor image = Tensor::empty({height, width, 1}, DType::u8);
  for (int64_t i = 0; i < image.count(); ++i)
    image.data<uint8_t>()[i] = uint8_t(std::lround(value(double(i % width), double(i / width))));
  return image;
}

TEST(FillSize, AnImageOfTheSizeStaysAsItIs) {
  const Tensor image = grey(24, 32, [](double x, double y) { return 3 * x + y; });
  EXPECT_EQ(fill_size(image, 24, 32).values<uint8_t>(), image.values<uint8_t>());
}

// A linear ramp stays one: pixel x of the result looks at (x + 1/2) s - 1/2 + margin.
TEST(FillSize, PixelsLookWhereTheFormulaSays) {
  struct {
    int64_t height, width, H, W;
  } cases[] = {
      {24, 32, 48, 64}, {24, 32, 72, 110}, {24, 32, 100, 64}, {48, 64, 24, 32}, {24, 32, 33, 49}};
  for (const auto& c : cases) {
    const double s = std::min(double(c.W) / c.width, double(c.H) / c.height);
    const double margin_x = (c.W - s * c.width) / 2, margin_y = (c.H - s * c.height) / 2;
    const auto ramp = [&](double x, double y) { return 10 + 200 * (x / c.W + y / c.H) / 2; };
    const Tensor out = fill_size(grey(c.H, c.W, ramp), c.height, c.width);
    ASSERT_EQ(out.shape(), (Shape{c.height, c.width, 1}));
    const int64_t edge = int64_t(std::ceil(s));  // weights are cut off at the border
    for (int64_t y = edge; y < c.height - edge; ++y)
      for (int64_t x = edge; x < c.width - edge; ++x)
        ASSERT_NEAR(out.data<uint8_t>()[y * c.width + x],
                    ramp((x + 0.5) * s - 0.5 + margin_x, (y + 0.5) * s - 0.5 + margin_y), 1.5)
            << c.H << "x" << c.W << " at " << x << "," << y;
  }
}

TEST(FillSize, AFineChequerBecomesGreyInsteadOfMoire) {
  const Tensor fine =
      grey(96, 128, [](double x, double y) { return int(x + y) % 2 ? 255.0 : 0.0; });
  const Tensor out = fill_size(fine, 30, 40);
  for (uint8_t v : out.values<uint8_t>()) ASSERT_NEAR(v, 127, 25);
}

// 100x150 in windows of 24x32: 100x133 (scale 4.17), 50x67, 25x33; neighbours share half or more.
TEST(PhotoCrops, WindowsOfEveryScaleCoverThePhotographDownToItsOwnResolution) {
  const auto ramp = [](double x, double y) { return x + y / 2; };
  const std::vector<Tensor> crops = photo_crops(grey(100, 150, ramp), 24, 32);
  ASSERT_EQ(crops.size(), 1u * 2 + 3 * 4 + 7 * 9);
  for (const Tensor& c : crops) ASSERT_EQ(c.shape(), (Shape{24, 32, 1}));
  const auto middle = [&](size_t i) { return double(crops[i].data<uint8_t>()[12 * 32 + 16]); };
  EXPECT_NEAR(middle(0), ramp(68.6, 52.1), 1.5);           // the left one of the largest
  EXPECT_NEAR(middle(1), ramp(68.6 + 17, 52.1), 1.5);      // the right one
  EXPECT_NEAR(middle(2), ramp(34.5, 26), 1.5);             // the first of half their side
  EXPECT_NEAR(middle(13), ramp(34.5 + 83, 26 + 50), 1.5);  // the last
  EXPECT_NEAR(middle(76), ramp(17 + 117, 13 + 75), 1.5);   // the last of all
}

TEST(PhotoCrops, APhotographSmallerThanTheWindowGivesOneThatIsMagnified) {
  EXPECT_EQ(photo_crops(grey(12, 16, [](double, double) { return 9; }), 24, 32).size(), 1u);
}

TEST(LoadPhoto, GreyAndColourComeInTheSizeAskedFor) {
  const TemporaryFolder folder;
  Tensor red = Tensor::zeros({50, 90, 3}, DType::u8);
  for (int64_t i = 0; i < red.count(); i += 3) red.data<uint8_t>()[i] = 200;
  write_png(folder / "a.png", red);
  const Tensor grey = load_photo(folder / "a.png", 24, 32),
               rgb = load_photo(folder / "a.png", 24, 32, 3);
  EXPECT_EQ(grey.shape(), (Shape{24, 32, 1}));
  EXPECT_EQ(grey.values<uint8_t>(), std::vector<uint8_t>(24 * 32, 60));
  EXPECT_EQ(rgb.shape(), (Shape{24, 32, 3}));
  EXPECT_EQ(rgb.values<uint8_t>()[0], 200);
  EXPECT_EQ(rgb.values<uint8_t>()[1], 0);
}

}  // namespace
}  // namespace cairn
