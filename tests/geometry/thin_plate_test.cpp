#include "geometry/thin_plate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/random.h"
#include "tests/caught.h"

namespace cairn {
namespace {

const std::vector<Point> corners_and_centre = {{-1, -1}, {1, -1}, {-1, 1}, {1, 1}, {0, 0}};

ThinPlate golden() {
  std::vector<Point> targets = corners_and_centre;
  targets[4] = {0.2, -0.1};
  return ThinPlateSystem(corners_and_centre).through(targets);
}

void expect_near(Point got, Point want, double tolerance) {
  EXPECT_NEAR(got.x, want.x, tolerance);
  EXPECT_NEAR(got.y, want.y, tolerance);
}

// A 7 x 7 grid of cell centres, each moved by N(0, sd^2).
ThinPlate moved_grid(double sd, uint64_t seed) {
  Random random(seed);
  std::vector<Point> control, targets;
  for (int i = 0; i < 49; ++i) {
    control.push_back({(2 * (i % 7) + 1) / 7.0 - 1, (2 * (i / 7) + 1) / 7.0 - 1});
    targets.push_back(control[i] + Point{sd * random.normal(), sd * random.normal()});
  }
  return ThinPlateSystem(control).through(targets);
}

// Computed independently.
TEST(ThinPlate, GivesTheGoldenValues) {
  const ThinPlate t = golden();
  ASSERT_EQ(t.theta.size(), 8u);
  for (int j = 0; j < 4; ++j) expect_near(t.theta[j], {-0.012022459, 0.006011229}, 1e-9);
  expect_near(t.theta[4], {0.048089835, -0.024044917}, 1e-9);
  expect_near(t.theta[5], {0.266666667, -0.133333333}, 1e-9);
  expect_near(t.theta[6], {1, 0}, 1e-9);
  expect_near(t.theta[7], {0, 1}, 1e-9);
  expect_near(t({0.5, 0.5}), {0.617714142, 0.441142929}, 1e-9);
  expect_near(t({0.25, -0.75}), {0.355304148, -0.802652074}, 1e-9);
  expect_near(t({1, 0}), {1.073172659, -0.036586329}, 1e-9);
  const auto [xx, xy, yx, yy] = t.jacobian({0.5, 0.5});
  expect_near({xx, xy}, {0.882053073, -0.117946927}, 1e-9);
  expect_near({yx, yy}, {0.058973463, 1.058973463}, 1e-9);
}

TEST(ThinPlate, LeadsControlPointsToTheirTargets) {
  const ThinPlate t = golden();
  for (int j = 0; j < 4; ++j) expect_near(t(corners_and_centre[j]), corners_and_centre[j], 1e-12);
  expect_near(t({0, 0}), {0.2, -0.1}, 1e-12);
}

TEST(ThinPlate, AnAffineMapOfTheTargetsBendsNothing) {
  std::vector<Point> targets;
  for (Point p : corners_and_centre) targets.push_back({2 * p.x - p.y + 3, 0.5 * p.x + p.y - 1});
  const ThinPlate t = ThinPlateSystem(corners_and_centre).through(targets);
  for (int j = 0; j < 5; ++j) expect_near(t.theta[j], {0, 0}, 1e-12);
  expect_near(t({10, -7}), {30, -3}, 1e-11);
}

TEST(ThinPlate, TheJacobianIsTheSlope) {
  const ThinPlate t = moved_grid(0.07, 1);
  const double h = 1e-6;
  for (Point p : {Point{0.1, 0.2}, {-0.9, 0.7}, {1.4, -2}, t.control[8]}) {
    const Point dx = (1 / (2 * h)) * (t(p + Point{h, 0}) - t(p - Point{h, 0}));
    const Point dy = (1 / (2 * h)) * (t(p + Point{0, h}) - t(p - Point{0, h}));
    const auto [xx, xy, yx, yy] = t.jacobian(p);
    expect_near({xx, yx}, dx, 1e-7);
    expect_near({xy, yy}, dy, 1e-7);
  }
}

TEST(ThinPlate, NewtonStepsLeadBackToEveryPoint) {
  const ThinPlate t = moved_grid(0.05, 2);
  ASSERT_FALSE(folds(t));
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    const Point p{random.uniform(-1, 1), random.uniform(-1, 1)}, target = t(p);
    Point q = target;
    for (int step = 0; step < 20; ++step) {
      const Point miss = t(q) - target;
      const auto [xx, xy, yx, yy] = t.jacobian(q);
      const double d = xx * yy - xy * yx;
      q = q - (1 / d) * Point{yy * miss.x - xy * miss.y, xx * miss.y - yx * miss.x};
    }
    expect_near(q, p, 1e-6);
  }
}

TEST(ThinPlate, FoldsWhereTwoPointsChangePlaces) {
  EXPECT_FALSE(folds(golden()));
  std::vector<Point> targets = corners_and_centre;
  targets[4] = {1.2, 0};
  EXPECT_TRUE(folds(ThinPlateSystem(corners_and_centre).through(targets)));
  std::swap(targets[0], targets[1]);
  EXPECT_TRUE(folds(ThinPlateSystem(corners_and_centre).through(targets)));
  targets[4].x = NAN;
  EXPECT_TRUE(folds(ThinPlateSystem(corners_and_centre).through(targets)));
}

TEST(ThinPlate, FoldsAreSoughtWhereTheAffineMapLeads) {
  std::vector<Point> targets = corners_and_centre;
  targets[4] = {1.2, 0};
  const ThinPlate t = ThinPlateSystem(corners_and_centre).through(targets);
  EXPECT_FALSE(folds(t, translation(-8, 0))) << "the fold lies elsewhere";
}

TEST(ThinPlate, SingularSystemsAreRefused) {
  std::vector<Point> twice = corners_and_centre;
  twice[4] = twice[0];
  const std::vector<Point> line = {{0, 0}, {0.25, 0.5}, {0.5, 1}, {-0.25, -0.5}};
  for (const auto& points : {twice, line, {{0, 0}, {1, 1}}, {{0, 0}}, {}}) {
    const std::string error = error_of([&] { ThinPlateSystem{points}; });
    EXPECT_NE(error.find("singular"), std::string::npos) << error;
    EXPECT_NE(error.find("give a ridge"), std::string::npos) << error;
  }
  EXPECT_NE(wrong([&] {
              ThinPlateSystem({{NAN, 0}, {1, 1}, {0, 1}}, 1e-3);
            }).find("singular"),
            std::string::npos);
}

TEST(ThinPlate, ARidgeGivesAMapForAnyPoints) {
  const double ridge = 1e-3;
  std::vector<Point> twice = corners_and_centre, targets = corners_and_centre;
  twice[4] = twice[0];
  targets[4] = twice[0] + Point{0.1, 0};
  expect_near(ThinPlateSystem(twice, ridge).through(targets)(twice[0]), {-0.95, -1}, 1e-3);

  const std::vector<Point> line = {{0, 0}, {0.25, 0.5}, {0.5, 1}, {-0.25, -0.5}};
  for (const auto& points : {twice, line, {{0.5, 0}, {0.5, 0}}, {{0, 0}}, {}}) {
    const ThinPlateSystem system(points, ridge);
    expect_near(system.through(points)({0.3, -2}), {0.3, -2}, 1e-12);
    std::vector<Point> moved;
    for (Point p : points) moved.push_back(p + Point{0.1, 0.2});
    const ThinPlate t = system.through(moved);
    for (size_t j = 0; j < points.size(); ++j) expect_near(t(points[j]), moved[j], 1e-3);
    EXPECT_FALSE(folds(t));
  }
}

TEST(ThinPlate, EveryControlPointNeedsATarget) {
  const ThinPlateSystem system(corners_and_centre);
  EXPECT_EQ(wrong([&] { (void)system.through(std::vector<Point>(4)); }),
            "4 targets for 5 control points");
}

}  // namespace
}  // namespace cairn
