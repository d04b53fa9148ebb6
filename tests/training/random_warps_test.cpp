#include "training/random_warps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "geometry/thin_plate.h"
#include "layers/functions_warp.h"
#include "tests/caught.h"

namespace cairn {
namespace {

PointWarp drawn(const WarpRange& range, int64_t count, uint64_t seed) {
  Random random(seed);
  return random_warps(range, count, random);
}

// Map number n of a batch, on the host.
ThinPlate spline(const PointWarp& warp, int64_t n) {
  const auto points = [n](const Tensor& t) {
    std::vector<Point> list(t.dim(1));
    for (int64_t i = 0; i < t.dim(1); ++i) {
      const float* p = t.data<float>() + 2 * (n * t.dim(1) + i);
      list[i] = {p[0], p[1]};
    }
    return list;
  };
  return {points(warp.control), points(warp.theta)};
}

Matrix3 affine(const PointWarp& warp, int64_t n) {
  Matrix3 a;
  std::copy_n(warp.affine.data<float>() + 6 * n, 6, a.m.begin());
  return a;
}

bool bends(const ThinPlate& t) {
  return std::any_of(t.theta.begin(), t.theta.begin() + int64_t(t.control.size()),
                     [](Point w) { return w.x != 0 || w.y != 0; });
}

struct Moments {
  double count = 0, sum = 0, squares = 0, largest = 0;
  void add(double v) {
    ++count;
    sum += v;
    squares += v * v;
    largest = std::max(largest, std::abs(v));
  }
  double mean() const { return sum / count; }
  double sd() const { return std::sqrt(squares / count - mean() * mean()); }
};

// Landmarks at random places of two images.
Tensor some_landmarks(int64_t K) {
  Random random(9);
  Tensor t = Tensor::empty({2, K, 2});
  for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(random.uniform(0.1, 0.9));
  return t;
}

TEST(RandomWarps, TheSameSeedGivesTheSameWarpsInABatchOfAnySize) {
  const PointWarp a = drawn({}, 4, 7), b = drawn({}, 4, 7), c = drawn({}, 2, 7),
                  d = drawn({}, 4, 8);
  EXPECT_EQ(a.theta.values<float>(), b.theta.values<float>());
  EXPECT_EQ(a.affine.values<float>(), b.affine.values<float>());
  EXPECT_EQ(a.theta.rows(0, 2).values<float>(), c.theta.values<float>());
  EXPECT_NE(a.theta.values<float>(), d.theta.values<float>());
  EXPECT_NE(a.theta.rows(0, 1).values<float>(), a.theta.rows(1, 2).values<float>());
  Random random(7);
  random_warps({}, 4, random);
  EXPECT_NE(a.theta.values<float>(), random_warps({}, 4, random).theta.values<float>())
      << "the second batch repeats the first";
}

TEST(RandomWarps, TheControlPointsAreTheCentresOfCells) {
  const PointWarp warp = drawn({}, 1, 1);
  ASSERT_EQ(warp.control.shape(), (Shape{1, 49, 2}));
  ASSERT_EQ(warp.theta.shape(), (Shape{1, 52, 2}));
  EXPECT_FLOAT_EQ(warp.control.data<float>()[0], -6.f / 7);
  EXPECT_FLOAT_EQ(warp.control.data<float>()[1], -6.f / 7);
  EXPECT_FLOAT_EQ(warp.control.data<float>()[2], -4.f / 7) << "x runs first";
  EXPECT_FLOAT_EQ(warp.control.data<float>()[97], 6.f / 7);
}

TEST(RandomWarps, SimilaritiesAreDrawnAsStated) {
  WarpRange range;
  range.side = 0;
  const int64_t count = 20000;
  const PointWarp warp = drawn(range, count, 2);
  EXPECT_EQ(warp.control.shape(), (Shape{count, 0, 2}));
  Moments angle, log_scale, x, y;
  for (int64_t n = 0; n < count; ++n) {
    const Matrix3 a = affine(warp, n);
    EXPECT_EQ(a(0, 0), a(1, 1));
    EXPECT_EQ(a(0, 1), -a(1, 0));
    angle.add(std::atan2(a(1, 0), a(0, 0)));
    log_scale.add(std::log(std::hypot(a(0, 0), a(1, 0))));
    x.add(a(0, 2));
    y.add(a(1, 2));
  }
  EXPECT_NEAR(angle.mean(), 0, 0.005);
  EXPECT_NEAR(angle.sd(), 0.1745, 0.003);
  EXPECT_NEAR(log_scale.mean(), 0, 0.006);
  EXPECT_NEAR(log_scale.sd(), std::log(1.25), 0.004);
  for (const Moments& t : {x, y}) {
    EXPECT_NEAR(t.mean(), 0, 0.005);
    EXPECT_NEAR(t.sd(), 0.3 / std::sqrt(3.0), 0.003);
    EXPECT_LE(t.largest, 0.3001);
  }
}

TEST(RandomWarps, AffineMapsAreDrawnAsStated) {
  WarpRange range;
  range.affine = AffineRange{};
  range.side = 0;
  const int64_t count = 20000;
  const PointWarp warp = drawn(range, count, 3);
  Moments angle, scale, aspect, x, y;
  for (int64_t n = 0; n < count; ++n) {
    const Matrix3 a = affine(warp, n);
    const double sx = std::hypot(a(0, 0), a(1, 0));
    EXPECT_NEAR(a(0, 0) * a(0, 1) + a(1, 0) * a(1, 1), 0, 1e-6) << "columns of R diag(sx, sy)";
    angle.add(std::atan2(a(1, 0), a(0, 0)));
    scale.add(sx);
    aspect.add(determinant(a) / sx - sx);
    x.add(a(0, 2));
    y.add(a(1, 2));
  }
  EXPECT_NEAR(angle.sd(), 0.5 / std::sqrt(3.0), 0.004);
  EXPECT_LE(angle.largest, 0.5001);
  EXPECT_NEAR(scale.mean(), 0.95, 0.005);
  EXPECT_NEAR(scale.sd(), 0.5 / std::sqrt(12.0), 0.003);
  EXPECT_NEAR(aspect.mean(), 0, 0.003);
  EXPECT_NEAR(aspect.sd(), 0.1, 0.002);
  EXPECT_NEAR(x.sd(), 0.1, 0.002);
  EXPECT_NEAR(y.sd(), 0.1, 0.002);
}

TEST(RandomWarps, NoneFoldsAndTheControlPointsMoveByTheDisplacement) {
  WarpRange range;
  for (const auto& [asked, left] : {std::pair{0.02, 0.02}, {0.07, 0.057}}) {
    range.displacement = asked;
    const PointWarp warp = drawn(range, 200, 4);
    Moments moves;
    for (int64_t n = 0; n < 200; ++n) {
      const ThinPlate t = spline(warp, n);
      EXPECT_TRUE(bends(t));
      EXPECT_FALSE(folds(t, affine(warp, n)));
      for (Point c : t.control) {
        const Point d = t(c) - c;
        moves.add(d.x);
        moves.add(d.y);
      }
    }
    EXPECT_NEAR(moves.sd(), left, 0.03 * left);
    EXPECT_NEAR(moves.mean(), 0, 0.02 * left);
  }
}

TEST(RandomWarps, WhatAlwaysFoldsLeavesTheAffineMapAlone) {
  WarpRange range;
  range.displacement = 1e4;
  const PointWarp warp = drawn(range, 3, 5);
  for (int64_t n = 0; n < 3; ++n) {
    const ThinPlate t = spline(warp, n);
    EXPECT_FALSE(bends(t));
    EXPECT_EQ(t({0.3, -0.7}).x, 0.3);
    EXPECT_EQ(t({0.3, -0.7}).y, -0.7);
  }
  WarpRange without;
  without.side = 0;
  EXPECT_EQ(warp.affine.values<float>(), drawn(without, 3, 5).affine.values<float>());
}

TEST(RandomWarps, Float32IsAsGoodAsStated) {
  const PointWarp warp = drawn({}, 50, 6);
  Tensor got = Tensor::empty({50, 40, 40, 2}), want = Tensor::empty({50, 40, 40, 2}, DType::f64);
  warped_grid(warp, got);
  warped_grid(warp.to(DType::f64), want);
  for (int64_t i = 0; i < got.count(); ++i)
    ASSERT_NEAR(got.data<float>()[i], want.data<double>()[i], 1e-5);
}

TEST(RandomWarps, LandmarksAreTheControlPoints) {
  const Tensor landmarks = some_landmarks(8);
  Random random(1);
  const PointWarp warp = random_warps_about(landmarks, {}, random);
  EXPECT_EQ(warp.theta.shape(), (Shape{2, 11, 2}));
  for (int64_t i = 0; i < landmarks.count(); ++i)
    EXPECT_FLOAT_EQ(warp.control.data<float>()[i], 2 * landmarks.data<float>()[i] - 1);
  for (int64_t n = 0; n < 2; ++n) {
    EXPECT_TRUE(bends(spline(warp, n)));
    EXPECT_FALSE(folds(spline(warp, n), affine(warp, n)));
  }
  Random again(1);
  EXPECT_EQ(warp.theta.values<float>(),
            random_warps_about(landmarks.to(DType::f64), {}, again).theta.values<float>());
}

TEST(RandomWarps, LandmarksMayCoincideOrBeFew) {
  for (const Tensor& landmarks :
       {Tensor::full({2, 5, 2}, 0.5), some_landmarks(1), some_landmarks(2), some_landmarks(0)}) {
    Random random(2);
    const PointWarp warp = random_warps_about(landmarks, {}, random);
    for (int64_t n = 0; n < 2; ++n) EXPECT_FALSE(folds(spline(warp, n), affine(warp, n)));
  }
}

TEST(RandomWarps, NamesWhatDoesNotFit) {
  Random random(1);
  for (int side : {1, -3}) {
    WarpRange range;
    range.side = side;
    EXPECT_EQ(wrong([&] { random_warps(range, 2, random); }),
              text("a grid of ", side, "x", side, " control points"));
  }
  EXPECT_EQ(wrong([&] {
              random_warps_about(Tensor::zeros({4, 2}), {}, random);
            }),
            "they have shape [4,2] (landmarks [4,2])");
  EXPECT_EQ(wrong([&] {
              random_warps_about(Tensor::full({1, 4, 2}, NAN), {}, random);
            }),
            "the system of 4 control points is singular");
}

TEST(RandomWarps, ThoseOfSomeImagesAreReplacedAndShorterSplinesFilledUp) {
  Random random(3);
  WarpRange range;
  range.side = 3;
  const PointWarp grid = random_warps(range, 3, random);
  Tensor landmarks = Tensor::empty({1, 2, 2});
  for (int i = 0; i < 4; ++i) landmarks.data<float>()[i] = 0.2f * float(i + 1);
  const PointWarp about = random_warps_about(landmarks, range, random);
  const PointWarp mixed = with_warps(grid, {1}, about);
  ASSERT_EQ(mixed.theta.shape(), (Shape{3, 12, 2}));
  const auto seen = [](const PointWarp& w) { return warped_grid(w, 5, 4).values<float>(); };
  const auto all = seen(mixed), of_grid = seen(grid), of_landmarks = seen(about);
  for (size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(all[i], of_grid[i]);
    EXPECT_NEAR(all[40 + i], of_landmarks[i], 1e-6);
    EXPECT_EQ(all[80 + i], of_grid[80 + i]);
  }
}

}  // namespace
}  // namespace cairn
