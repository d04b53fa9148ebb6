#include "training/draw_matches.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/error.h"

namespace cairn {
namespace {

const uint8_t* pixel(const Tensor& image, int64_t x, int64_t y) {
  return image.data<uint8_t>() + (y * image.dim(1) + x) * 3;
}

TEST(Draw, ADiscCoversItsAreaAroundItsCentre) {
  Canvas canvas(21, 31, {0, 0, 0});
  canvas.disc({12, 8}, 5, {255, 255, 255});
  double sum = 0, x = 0, y = 0;
  for (int64_t r = 0; r < 21; ++r)
    for (int64_t c = 0; c < 31; ++c) {
      const double v = pixel(canvas.image(), c, r)[0] / 255.0;
      sum += v;
      x += v * double(c);
      y += v * double(r);
    }
  EXPECT_NEAR(sum, 25 * 3.14159, 1);
  EXPECT_NEAR(x / sum, 12, 1e-9);
  EXPECT_NEAR(y / sum, 8, 1e-9);
}

TEST(Draw, APointOfAnEnlargedImageLiesInTheMiddleOfItsPixel) {
  const Tensor image = Tensor::zeros({4, 5, 1}, DType::u8);
  const Canvas canvas(image, 3);
  EXPECT_EQ(canvas.at({0, 0}).x, 1);
  EXPECT_EQ(canvas.at({2, 3}).y, 10);
  EXPECT_EQ(canvas.height(), 12);
}

TEST(Draw, ShapesBeyondTheBorderAreClipped) {
  Canvas canvas(8, 8, {1, 2, 3});
  canvas.disc({-100, 4}, 5, {255, 0, 0});
  canvas.line({-50, -50}, {60, 60}, 2, {0, 255, 0});
  canvas.text({-20, 4}, "words\n\xc3\xbc", {0, 0, 255});
  canvas.paste(Tensor::full({20, 20, 1}, 7, DType::u8), -6, 5);
  EXPECT_EQ(pixel(canvas.image(), 4, 4)[1], 255);
  EXPECT_EQ(pixel(canvas.image(), 0, 7)[0], 7);
  EXPECT_EQ(pixel(canvas.image(), 7, 0)[2], 3);
}

TEST(Draw, KeypointsTakeTheColourOfTheirScore) {
  const Tensor image = Tensor::zeros({960, 400, 1}, DType::u8);
  const Tensor drawn = draw_keypoints(image, {{100, 50, 0.5}, {200, 80, 0.0}});
  EXPECT_EQ(pixel(drawn, 100, 50)[0], heat_colour(1).r);
  EXPECT_EQ(pixel(drawn, 200, 80)[2], heat_colour(0).b);
  EXPECT_EQ(pixel(drawn, 300, 80)[2], 0);
}

TEST(Draw, ALineCoversItsAreaAtAnySlope) {
  for (Point end : {Point{60, 10}, Point{60, 13}, Point{60, 50}, Point{13, 60}, Point{10, 60}}) {
    Canvas canvas(80, 80, {0, 0, 0});
    canvas.line({10, 10}, end, 3, {255, 255, 255});
    double sum = 0;
    for (int i = 0; i < 80 * 80; ++i) sum += canvas.image().data<uint8_t>()[3 * i] / 255.0;
    const double length = std::hypot(end.x - 10, end.y - 10);
    EXPECT_NEAR(sum, 3 * length + 3.14159 * 1.5 * 1.5, 0.03 * sum) << end.x << ' ' << end.y;
  }
}

TEST(Draw, InliersAreGreenAboveRedOutliersAndTheOutlineIsInTheSecondImage) {
  const Tensor a = Tensor::zeros({500, 500, 1}, DType::u8),
               b = Tensor::zeros({400, 600, 3}, DType::u8);
  const std::vector<MatchLine> lines = {{{100, 100}, {200, 100}, true},
                                        {{100, 100}, {200, 100}, false},
                                        {{100, 300}, {200, 300}, false}};
  const Tensor drawn = draw_matches(a, b, lines, translation(50, 60));
  EXPECT_EQ(drawn.shape(), (Shape{500, 500 + 8 + 600, 3}));
  EXPECT_GT(pixel(drawn, 300, 100)[1], pixel(drawn, 300, 100)[0]);
  EXPECT_GT(pixel(drawn, 300, 300)[0], pixel(drawn, 300, 300)[1]);
  EXPECT_EQ(pixel(drawn, 508 + 50, 200)[0], 255);  // the left side of a, 50 to the right
  EXPECT_EQ(pixel(drawn, 508 + 45, 200)[0], 0);
  const Tensor none = draw_matches(a, b, {}, {});
  EXPECT_EQ(pixel(none, 508 + 50, 200)[0], 0);
}

TEST(Draw, AContactSheetHoldsEveryTileScaledDownToFit) {
  const Tensor big = Tensor::full({100, 300, 3}, 200, DType::u8);
  EXPECT_EQ(fitted(big, 60).shape(), (Shape{20, 60, 3}));
  EXPECT_EQ(fitted(big, 60).data<uint8_t>()[100], 200);
  const Tensor sheet =
      contact_sheet({{big, "one"}, {big, "a caption that is too long for it"}, {big, ""}}, 2, 60);
  EXPECT_EQ(sheet.dim(1), 2 * 68 + 8);
  EXPECT_EQ(sheet.dim(0), 2 * (20 + 18 + 8) + 8);
  EXPECT_EQ(pixel(sheet, 8 + 30, 8 + 10)[0], 200);
  EXPECT_THROW(contact_sheet({{Tensor::zeros({3, 3}), ""}}, 2, 60), Error);
  // What identifies a tile stays when its caption is shortened, and the neighbour's place is free.
  const auto sheet_of = [&](const std::string& caption) {
    return contact_sheet({{big, caption}, {big, ""}}, 2, 60).values<uint8_t>();
  };
  const std::string name = "a_name_that_is_too_long.jpg, ";
  EXPECT_NE(sheet_of(name + "17"), sheet_of(name + "18"));
  EXPECT_EQ(sheet_of(name + "17"), sheet_of("a_name_as_long.jpg, 17"));
  const auto wide = contact_sheet({{big, "x, " + std::string(40, '1')}, {big, ""}}, 2, 60);
  for (int64_t x = 8 + 68; x < 8 + 68 + 60; ++x)
    for (int64_t y = 8 + 20; y < 8 + 20 + 18; ++y)
      ASSERT_EQ(pixel(wide, x, y)[0], pixel(wide, 0, 0)[0]) << x << ", " << y;
}

}  // namespace
}  // namespace cairn
