#include "geometry/ransac.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/error.h"
#include "runtime/random.h"

namespace cairn {
namespace {

// Matches between two images of 640x480, of which `inliers` follow a homography.
struct Matches {
  Matrix3 truth;
  std::vector<Point> from, to;

  Matches(uint64_t seed, int count, double inliers, double noise = 1) {
    Random r(seed);
    const std::array<Point, 4> corners{{{0, 0}, {640, 0}, {640, 480}, {0, 480}}};
    std::array<Point, 4> moved = corners;
    for (Point& p : moved) p = p + Point{r.uniform(-100, 100), r.uniform(-100, 100)};
    truth = homography_from_4_points(corners, moved);
    for (int i = 0; i < count; ++i) {
      from.push_back({r.uniform(0, 640), r.uniform(0, 480)});
      if (i < inliers * count)
        to.push_back(apply(truth, from[i]) + noise * Point{r.normal(), r.normal()});
      else
        to.push_back({r.uniform(0, 640), r.uniform(0, 480)});
    }
  }
  double error_of(const RobustHomography& found) const {
    if (!found.homography) return INFINITY;
    double sum = 0;
    for (Point c : {Point{0, 0}, Point{639, 0}, Point{0, 479}, Point{639, 479}}) {
      const Point d = apply(*found.homography, c) - apply(truth, c);
      sum += std::hypot(d.x, d.y) / 4;
    }
    return sum;
  }
};

// Of 100 sets of 200 matches, how many are solved to 3 px in the mean of the corners.
int successes(double inliers, const RansacOptions& options) {
  int solved = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const Matches m(seed, 200, inliers);
    solved += m.error_of(ransac_homography(m.from, m.to, options)) < 3;
  }
  return solved;
}

TEST(Ransac, FindsTheHomographyDownToThreeInliersInTen) {
  for (RobustScore score : {RobustScore::inliers, RobustScore::magsac})
    for (double inliers : {0.9, 0.7, 0.5, 0.4, 0.3})
      EXPECT_GE(successes(inliers, {.score = score}), 99) << inliers << " by score " << int(score);
}

TEST(Ransac, MagsacSuffersLessFromAWrongThreshold) {
  for (double threshold : {1.0, 10.0})
    for (double inliers : {0.7, 0.4})
      EXPECT_GE(successes(inliers, {.threshold = threshold, .score = RobustScore::magsac}),
                successes(inliers, {.threshold = threshold}))
          << threshold << " px, " << inliers;
}

TEST(Ransac, NamesTheInliersAndStopsEarlyWhenThereAreMany) {
  const Matches m(1, 200, 0.8, 0.5);
  const RobustHomography found = ransac_homography(m.from, m.to);
  EXPECT_LT(m.error_of(found), 0.5);
  for (int i = 0; i < 160; ++i) EXPECT_EQ(found.inliers[i], 1) << i;
  EXPECT_LT(found.inlier_count(), 165);
  EXPECT_LT(found.iterations, 40);
}

TEST(Ransac, WithoutNoiseTheMapIsExactWhateverTheOutliers) {
  const Matches m(2, 100, 0.5, 0);
  EXPECT_LT(m.error_of(ransac_homography(m.from, m.to)), 1e-6);
  EXPECT_LT(m.error_of(ransac_homography(m.from, m.to, {.score = RobustScore::magsac})), 1e-6);
  const Matches four(3, 4, 1, 0);
  const RobustHomography found = ransac_homography(four.from, four.to);
  EXPECT_LT(four.error_of(found), 1e-6);
  EXPECT_EQ(found.inlier_count(), 4);
}

TEST(Ransac, AMirroredImageIsAHomographyToo) {
  Matches m(4, 100, 0.6, 0.5);
  for (Point& p : m.to) p = apply(mirroring(640), p);
  m.truth = mirroring(640) * m.truth;
  EXPECT_LT(m.error_of(ransac_homography(m.from, m.to)), 1);
}

TEST(Ransac, TheSeedDecidesAndNothingElse) {
  const Matches m(5, 200, 0.4);
  const RobustHomography a = ransac_homography(m.from, m.to), b = ransac_homography(m.from, m.to),
                         other = ransac_homography(m.from, m.to, {.seed = 7});
  EXPECT_EQ(a.homography->m, b.homography->m);
  EXPECT_EQ(a.inliers, b.inliers);
  EXPECT_EQ(a.iterations, b.iterations);
  EXPECT_LT(m.error_of(other), 3);
}

void expect_none(const std::vector<Point>& from, const std::vector<Point>& to, const char* what) {
  for (RobustScore score : {RobustScore::inliers, RobustScore::magsac}) {
    const RobustHomography found = ransac_homography(from, to, {.score = score});
    EXPECT_FALSE(found.homography) << what;
    EXPECT_EQ(found.inlier_count(), 0) << what;
    EXPECT_EQ(found.inliers.size(), from.size()) << what;
  }
}

TEST(Ransac, SetsThatFixNoMapGiveNone) {
  const Matches m(6, 50, 1);
  std::vector<Point> line, same(50, Point{3, 4});
  for (int i = 0; i < 50; ++i) line.push_back({double(i), 2.0 * i + 1});
  expect_none({}, {}, "no match");
  expect_none({m.from.begin(), m.from.begin() + 3}, {m.to.begin(), m.to.begin() + 3}, "three");
  expect_none(line, m.to, "a line on one side");
  expect_none(m.from, line, "a line on the other side");
  expect_none(line, line, "a line on both");
  expect_none(same, m.to, "copies of one point");
  expect_none(m.from, same, "all matched with one point");
  std::vector<Point> nearly = line;  // three distinct places off the line are too few
  nearly[7] = nearly[8] = {100, 0};
  expect_none(nearly, nearly, "a line and one point");
}

TEST(Ransac, OptionsOutOfRangeAreNamedTogether) {
  try {
    ransac_homography(std::vector<Point>(3), std::vector<Point>(4),
                      {.threshold = 0, .confidence = 1, .max_iterations = 0});
    FAIL();
  } catch (const Error& e) {
    for (const char* part :
         {"3 points and 4 partners", "threshold is 0", "confidence is 1", "max_iterations is 0"})
      EXPECT_NE(e.wrong.find(part), std::string::npos) << e.what();
  }
}

// Wrong matches alone: what RANSAC finds among them is what chance is said to bring together.
TEST(Ransac, InliersOfWrongMatchesAreExplainedByChance) {
  for (int count : {10, 40, 300})
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      const Matches wrong(seed, count, 0);
      const RobustHomography found = ransac_homography(wrong.from, wrong.to);
      if (!found.homography) continue;
      EXPECT_GE(homographies_by_chance(count, found.inlier_count(), 3, 640 * 480), 1)
          << found.inlier_count() << " of " << count;
    }
  for (int count : {40, 300}) {
    const Matches third(1, count, 0.3);
    const RobustHomography found = ransac_homography(third.from, third.to);
    EXPECT_LT(homographies_by_chance(count, found.inlier_count(), 3, 640 * 480), 1e-6);
  }
  // Four of four have no fifth match to say no; 24 C(28,6) C(6,4) (9 pi / 512000)^2 = 0.4136.
  EXPECT_EQ(homographies_by_chance(4, 4, 3, 640 * 480), 0);
  EXPECT_NEAR(homographies_by_chance(28, 6, 3, 800 * 640), 0.4136, 1e-4);
  EXPECT_GE(homographies_by_chance(5, 4, 3, 640 * 480), 1);
}

}  // namespace
}  // namespace cairn
