#include "training/draw_skeleton.h"

#include <gtest/gtest.h>

#include "runtime/error.h"

namespace cairn {
namespace {

const Skeleton two{{"a", "b"}, {0, 1}, {{0, 1}}, {}};

bool painted(const Canvas& canvas, int64_t x, int64_t y) {
  const uint8_t* p = canvas.image().data<uint8_t>() + (y * canvas.width() + x) * 3;
  return p[0] || p[1] || p[2];
}

TEST(DrawSkeleton, ABoneIsDrawnBetweenTwoKnownPointsAlone) {
  Canvas canvas(40, 40, {0, 0, 0});
  std::vector<LabelledPoint> points{{5, 20, Visibility::visible}, {35, 20, Visibility::hidden}};
  draw_skeleton(canvas, two, points);
  EXPECT_TRUE(painted(canvas, 20, 20));
  EXPECT_FALSE(painted(canvas, 20, 30));

  Canvas half(40, 40, {0, 0, 0});
  points[1].v = Visibility::missing;
  draw_skeleton(half, two, points);
  EXPECT_TRUE(painted(half, 5, 20));
  EXPECT_FALSE(painted(half, 20, 20));
  EXPECT_FALSE(painted(half, 35, 20));
}

TEST(DrawSkeleton, AnotherNumberOfPointsIsRefused) {
  Canvas canvas(8, 8, {0, 0, 0});
  EXPECT_THROW(draw_skeleton(canvas, two, std::vector<LabelledPoint>(3)), Error);
}

TEST(DrawSkeleton, OfWhatIsFoundTheUnsureIsLeftOut) {
  Keypoints found;
  found.points = {{5, 20}, {35, 20}};
  found.scores = {0.9f, 0.1f};
  const Tensor image = Tensor::zeros({960, 960, 3}, DType::u8);  // so large that it stays as it is
  const Tensor drawn = draw_found(image, two, {found}, 0.2);
  const auto brightness = [&](int64_t x) { return drawn.data<uint8_t>()[(20 * 960 + x) * 3 + 2]; };
  EXPECT_GT(brightness(5), 0);
  EXPECT_EQ(brightness(20), 0);
  EXPECT_EQ(brightness(35), 0);
}

}  // namespace
}  // namespace cairn
