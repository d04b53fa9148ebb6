#include "training/random_homography.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cairn {
namespace {

// The published steps with fixed draws; values computed independently.
TEST(RandomHomography, GoldenMatrix) {
  const UnitQuad square = UnitQuad::centred_square(0.85);
  UnitQuad quad = square;
  quad.deform(-0.01, 0.03, 0.02);
  quad.scale(1.05);
  quad.move(0.01, -0.02);
  quad.turn(0.3);
  const Matrix3 h = homography_between(square, quad, 240, 320);
  const double golden[9] = {
      0.94065266, 0.39115636, -46.14171401, -0.2686614, 0.94837663, 39.81505148, -0.00032787, 0, 1};
  for (int i = 0; i < 9; ++i) EXPECT_NEAR(h.m[i], golden[i], 1e-8) << "entry " << i;
  EXPECT_NEAR(apply(h, {160, 120}).x, 159.678028, 1e-6);
  EXPECT_NEAR(apply(h, {160, 120}).y, 116.759512, 1e-6);
}

TEST(RandomHomography, SameSeedSameMatrix) {
  Random a(7, 3), b(7, 3), c(8, 3);
  const auto range = HomographyRange::magicpoint();
  EXPECT_EQ(random_homography(range, 120, 160, a).m, random_homography(range, 120, 160, b).m);
  EXPECT_NE(random_homography(range, 120, 160, a).m, random_homography(range, 120, 160, c).m);
}

TEST(RandomHomography, WithoutArtefactsThePatchShowsTheInputAlone) {
  Random random(5);
  const auto range = HomographyRange::pair_benchmark();
  const double a = (1 - range.patch_ratio) / 2;
  for (int i = 0; i < 500; ++i) {
    const Matrix3 h = random_homography(range, 240, 320, random);
    for (Point corner : {Point{a, a}, {a, 1 - a}, {1 - a, 1 - a}, {1 - a, a}}) {
      const Point p = apply(h, {corner.x * 320, corner.y * 240});
      ASSERT_TRUE(p.x >= -1e-6 && p.x <= 320 + 1e-6 && p.y >= -1e-6 && p.y <= 240 + 1e-6);
    }
  }
}

TEST(RandomHomography, ZoomShowsThePatchAcrossTheWholeOutput) {
  auto range = HomographyRange::homographic_pair();
  range.scale = range.perspective = range.max_angle = 0;
  range.zoom_patch = true;
  Random random(1);
  const Matrix3 h = random_homography(range, 100, 100, random);
  EXPECT_NEAR(apply(h, {100, 0}).x - apply(h, {0, 0}).x, 85, 1e-9);
}

}  // namespace
}  // namespace cairn
