#include "training/homography_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/random.h"

namespace cairn {
namespace {

constexpr ImageSize size{240, 320};
const Matrix3 right_by_10 = translation(10, 0);

std::vector<Point> random_points(int count, uint64_t seed) {
  Random random(seed);
  std::vector<Point> points;
  for (int i = 0; i < count; ++i)
    points.push_back({random.uniform(0, size.width), random.uniform(0, size.height)});
  return points;
}

std::vector<Point> moved(const std::vector<Point>& points, const Matrix3& h) {
  std::vector<Point> out;
  for (Point p : points) out.push_back(apply(h, p));
  return out;
}

// A grid with 20 px between neighbours: no point is near another's partner.
std::vector<Point> grid() {
  std::vector<Point> points;
  for (int y = 10; y < 240; y += 20)
    for (int x = 10; x < 320; x += 20) points.push_back({double(x), double(y)});
  return points;
}

// One-hot descriptors: point i of one set is alike to point i of the other alone.
Keypoints identified(const std::vector<Point>& points) {
  Keypoints k;
  k.descriptor_size = int(points.size());
  k.descriptors.resize(points.size() * points.size());
  for (size_t i = 0; i < points.size(); ++i) {
    k.points.push_back({float(points[i].x), float(points[i].y)});
    k.scores.push_back(1);
    k.descriptors[i * points.size() + i] = 1;
  }
  return k;
}

// The cases (a) to (d) whose answers are known by construction.

TEST(MetricsByConstruction, ExactlyMovedPointsWithTheirOwnDescriptorsArePerfect) {
  const Matrix3 h{{0.9, 0.1, 5, -0.08, 1.1, -3, 1e-4, 2e-4, 1}};
  std::vector<Point> first, second;
  for (Point p : random_points(100, 1))
    if (const Point q = apply(h, p); q.x >= 0 && q.x < 320 && q.y >= 0 && q.y < 240) {
      first.push_back(p);
      second.push_back(q);
    }
  const Repeatability r = repeatability(first, second, h, 3);
  EXPECT_EQ(r.share(), 1);
  EXPECT_NEAR(r.localization_error(), 0, 1e-12);
  const std::vector<Match> matches = match_keypoints(identified(first), identified(second));
  ASSERT_EQ(matches.size(), first.size());
  EXPECT_EQ(matching_accuracy(match_errors(first, second, matches, h), 1), 1);
  EXPECT_EQ(correct_share(first, second, matches, h, size, 3), 1);
  EXPECT_EQ(nearest_average_precision(first, second, matches, h, 3), 1);
  EXPECT_EQ(corner_error(h, h, size), 0);
}

TEST(MetricsByConstruction, JitterOnADiscOfTwoPixelsIsRepeatedWithAMeanErrorOfFourThirds) {
  const std::vector<Point> first = grid();
  Random random(2);
  std::vector<Point> second;
  for (Point p : first) {
    const double r = 2 * std::sqrt(random.uniform()), a = 6.283185307 * random.uniform();
    second.push_back(p + Point{r * std::cos(a), r * std::sin(a)});
  }
  const Repeatability r = repeatability(first, second, {}, 3);
  EXPECT_EQ(r.share(), 1);
  EXPECT_GE(r.localization_error(), 1.2);
  EXPECT_LE(r.localization_error(), 1.4);
}

TEST(MetricsByConstruction, RandomPointsRepeatByChanceAsPublished) {
  double sum = 0;
  for (uint64_t i = 0; i < 20; ++i)
    sum += repeatability(random_points(300, 10 + i), random_points(300, 50 + i), {}, 3).share();
  EXPECT_NEAR(sum / 20, 0.10, 0.01);
}

TEST(MetricsByConstruction, DroppedPointsLowerRepeatabilityAsComputed) {
  const std::vector<Point> first = grid();
  for (double f : {0.25, 0.5}) {
    std::vector<Point> second = first;
    second.resize(size_t(double(first.size()) * (1 - f)));
    EXPECT_NEAR(repeatability(first, second, {}, 3).share(), (2 - 2 * f) / (2 - f), 0.01);
  }
}

// Cases small enough for pencil and paper.

TEST(SharedView, KeepsPointsThatTheOtherImageShows) {
  const std::vector<Point> points{{0, 0},   {309, 5},   {310, 5}, {-10, 0},
                                  {-11, 0}, {5, 239.9}, {5, 240}};
  EXPECT_EQ(seen(points, right_by_10, size), (std::vector<size_t>{0, 1, 3, 5}));
  // What lies beyond the horizon is not seen, whatever the division says.
  EXPECT_TRUE(seen(points, {{1, 0, 0, 0, 1, 0, 0, 0, -1}}, size).empty());
}

TEST(RepeatabilityByHand, CountsRowsAndColumnsAndIsNotOneToOne) {
  // In the second image the first one's points are (10, 0) and (110, 0). The second has two points
  // near the first of them, at 1 and 3 px, and one near none.
  const std::vector<Point> first{{0, 0}, {100, 0}}, second{{11, 0}, {10, 3}, {200, 0}};
  const Repeatability r = repeatability(first, second, right_by_10, 3);
  EXPECT_EQ(r.points, 5);
  EXPECT_EQ(r.repeated, 3);  // one of the first, two of the second
  EXPECT_DOUBLE_EQ(r.share(), 3.0 / 5);
  EXPECT_DOUBLE_EQ(r.localization_error(), (1 + 1 + 3) / 3.0);
}

TEST(RepeatabilityByHand, NoPointsAreNeitherGoodNorBad) {
  EXPECT_TRUE(std::isnan(repeatability({}, {}, {}, 3).share()));
  const std::vector<Point> one{{0, 0}};
  EXPECT_EQ(repeatability(one, {}, {}, 3).share(), 0);
  EXPECT_TRUE(std::isnan(repeatability(one, {}, {}, 3).localization_error()));
}

TEST(MatchingByHand, AccuracyIsTheShareOfMatchesWithinTheRadius) {
  const std::vector<Point> first{{0, 0}, {20, 0}, {40, 0}, {60, 0}},
      second{{10, 0}, {30, 2}, {50, 4}, {170, 0}};
  const std::vector<Match> matches{{0, 0, 1}, {1, 1, 1}, {2, 2, 1}, {3, 3, 1}};
  const std::vector<double> errors = match_errors(first, second, matches, right_by_10);
  EXPECT_EQ(errors, (std::vector<double>{0, 2, 4, 100}));
  EXPECT_EQ(matching_accuracy(errors, 1), 0.25);
  EXPECT_EQ(matching_accuracy(errors, 2), 0.5) << "the radius itself is within";
  EXPECT_EQ(matching_accuracy(errors, 5), 0.75);
  EXPECT_EQ(matching_accuracy({}, 3), 0) << "no match is no success";
}

TEST(MatchingByHand, TheScoreDividesByWhatTheOtherImageShows) {
  // The third point leaves the image; its match is right all the same and does not count.
  const std::vector<Point> first{{0, 0}, {20, 0}, {315, 0}}, second{{10, 0}, {30, 5}, {325, 0}};
  const std::vector<Match> nearest{{0, 0, 1}, {1, 1, 1}, {2, 2, 1}};
  EXPECT_EQ(correct_share(first, second, nearest, right_by_10, size, 3), 0.5);
  EXPECT_EQ(correct_share({}, {}, {}, right_by_10, size, 3), 0);
}

TEST(AveragePrecisionByHand, SumsPrecisionOverStepsOfRecall) {
  // Right, wrong, right of three positives: 1/3 (1/1) + 1/3 (2/3).
  EXPECT_DOUBLE_EQ(average_precision({{0.9, true}, {0.8, false}, {0.7, true}}, 3),
                   1.0 / 3 + 2.0 / 9);
  EXPECT_DOUBLE_EQ(average_precision({{0.7, true}, {0.8, false}, {0.9, true}}, 3),
                   1.0 / 3 + 2.0 / 9);
  EXPECT_DOUBLE_EQ(average_precision({{0.5, false}, {0.5, true}}, 1), 0.5) << "ties enter together";
  EXPECT_EQ(average_precision({{0.9, false}}, 4), 0);
  EXPECT_EQ(average_precision({}, 0), 0);
}

TEST(AveragePrecisionByHand, PointsWithAPartnerThatAreMatchedWronglyLowerTheRecall) {
  // All of the first image have a partner; the last two are matched to each other's.
  const std::vector<Point> points{{10, 10}, {50, 10}, {90, 10}, {130, 10}};
  const std::vector<Match> nearest{{0, 0, 0.9f}, {1, 1, 0.8f}, {2, 3, 0.7f}, {3, 2, 0.6f}};
  EXPECT_DOUBLE_EQ(nearest_average_precision(points, points, nearest, {}, 3), 0.5);
  // Without partners for those two, nothing more was to be found.
  const std::vector<Point> second{{10, 10}, {50, 10}, {200, 100}, {250, 100}};
  EXPECT_DOUBLE_EQ(nearest_average_precision(points, second, nearest, {}, 3), 1);
}

TEST(CornerErrorByHand, IsTheMeanOverFourCorners) {
  EXPECT_DOUBLE_EQ(corner_error(translation(3, 4), {}, size), 5);
  // Twice the width about the left edge: errors 0, 319, 0, 319.
  EXPECT_DOUBLE_EQ(corner_error({{2, 0, 0, 0, 1, 0, 0, 0, 1}}, {}, size), 319.0 / 2);
  // The right corners lie behind the horizon of the estimate.
  EXPECT_TRUE(std::isinf(corner_error({{1, 0, 0, 0, 1, 0, -0.01, 0, 1}}, {}, size)));
}

TEST(ErrorAreaByHand, FallsFromOneToZeroAtTheLimit) {
  EXPECT_EQ(error_area(0, 5), 1);
  EXPECT_DOUBLE_EQ(error_area(2, 5), 0.6);
  EXPECT_EQ(error_area(7, 5), 0);
  EXPECT_EQ(error_area(INFINITY, 5), 0);
}

TEST(CosineGapByHand, ComparesThePartnerWithTheMostSimilarOther) {
  Keypoints first, second;
  first.descriptor_size = second.descriptor_size = 2;
  first.points = {{0, 0}, {100, 0}};
  first.descriptors = {1, 0, 0, 1};
  second.points = {{10, 1}, {60, 0}, {15, 0}};  // the partner, another, one too near to judge
  second.descriptors = {0.8f, 0.6f, 0.6f, 0.8f, 1, 0};
  const CosineGap gap = cosine_gap(first, second, right_by_10, 3);
  EXPECT_FLOAT_EQ(float(gap.positive), 0.8f);
  EXPECT_FLOAT_EQ(float(gap.hardest_negative), 0.6f);
  EXPECT_TRUE(std::isnan(cosine_gap(first, {}, right_by_10, 3).positive));
}

}  // namespace
}  // namespace cairn
