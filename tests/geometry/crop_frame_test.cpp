#include "geometry/crop_frame.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/random.h"

namespace cairn {
namespace {

// The published transform counts from the corner of the image: 1/2 less is the centre of a pixel.
Point from_corner(double x, double y) { return {x - 0.5, y - 0.5}; }

// A person of scale 1.2 at (100, 120), on a map of 64 x 64 cells.
CropFrame person(double degrees) {
  CropFrame f;
  f.centre = from_corner(100, 120);
  f.scale = 64 / (200 * 1.2);
  f.rotation = -degrees * M_PI / 180;  // published: R(-r) turns the picture
  return f;
}

void expect_at(Point p, Point expected, double tolerance) {
  EXPECT_NEAR(p.x, expected.x, tolerance);
  EXPECT_NEAR(p.y, expected.y, tolerance);
}

TEST(CropFrame, PublishedCoordinatesOfAStraightAndOfATurnedCrop) {
  const Matrix3 straight = to_crop(person(0), 64, 64), turned = to_crop(person(30), 64, 64);
  expect_at(apply(straight, from_corner(100, 120)), from_corner(32, 32), 1e-12);
  expect_at(apply(straight, from_corner(160, 90)), from_corner(48, 24), 1e-12);
  expect_at(apply(turned, from_corner(160, 90)), from_corner(41.856406, 17.071797), 5e-7);
  const Matrix3 shifted = translation(0.5, 0.5) * turned * translation(-0.5, -0.5);
  const double published[6] = {.230940, .133333, -7.094011, -.133333, .230940, 17.620520};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(shifted.m[i], published[i], 5e-7) << i;
}

TEST(CropFrame, RoundTripIsExactForAnyFrame) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    CropFrame f;
    f.centre = {random.uniform(0, 2000), random.uniform(0, 2000)};
    f.scale = random.uniform(0.05, 4);
    f.rotation = random.uniform(-3, 3);
    f.mirrored = random.uniform() < 0.5;
    const Matrix3 there = to_crop(f, 256, 192), back = inverse(there);
    const Point p{random.uniform(0, 2000), random.uniform(0, 2000)};
    expect_at(apply(back, apply(there, p)), p, 1e-9);
    EXPECT_NEAR(scale_of(there), f.scale, 1e-12);
  }
}

TEST(CropFrame, AMirrorImageOfAWholeImageIsTheProjectsMirror) {
  CropFrame f = frame_of(Box{-0.5, -0.5, 20, 10}, 1, 10, 20);
  f.mirrored = true;
  const Matrix3 m = to_crop(f, 10, 20), expected = mirroring(20);
  for (int i = 0; i < 9; ++i) EXPECT_NEAR(m.m[i], expected.m[i], 1e-12) << i;
}

TEST(CropFrame, ARegionFillsTheCropAlongTheSideThatBindsUpToTheMargin) {
  // 40 x 80 around the pixels 10..49 and 20..99, in a crop of 128 x 128, with a quarter more.
  const Matrix3 m = to_crop(frame_of(Box{9.5, 19.5, 40, 80}, 1.25, 128, 128), 128, 128);
  expect_at(apply(m, {29.5, 59.5}), {63.5, 63.5}, 1e-12);
  expect_at(apply(m, {29.5, 19.5}), {63.5, 63.5 - 128 / 2.5}, 1e-12);
  EXPECT_NEAR(scale_of(m), 1.28, 1e-12);
  EXPECT_EQ(frame_of(Box{3, 4, 0, 0}, 1.25, 128, 128).scale, 1);
}

}  // namespace
}  // namespace cairn
