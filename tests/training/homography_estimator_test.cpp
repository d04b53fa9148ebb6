#include "training/homography_estimator.h"

#include <gtest/gtest.h>

#include "runtime/error.h"
#include "runtime/random.h"

namespace cairn {
namespace {

constexpr HomographyEstimator all[] = {HomographyEstimator::ransac, HomographyEstimator::magsac,
                                       HomographyEstimator::usac};

// Whether this build has it: parsing tells.
bool is_there(HomographyEstimator e) {
  try {
    return parse_homography_estimator("--estimator", name(e)) == e;
  } catch (const UsageError& error) {
    EXPECT_EQ(e, HomographyEstimator::usac);
    EXPECT_NE(std::string(error.what()).find("OpenCV"), std::string::npos);
    EXPECT_THROW(estimate_homography(e, std::vector<Point>(9), std::vector<Point>(9)), Error);
    return false;
  }
}

TEST(HomographyEstimator, EachFindsTheMapThatTwoThirdsOfTheMatchesFollow) {
  Random random(1);
  const Matrix3 truth{{0.9, 0.1, 20, -0.12, 1.1, -5, 1e-4, -5e-5, 1}};
  std::vector<Point> from, to;
  for (int i = 0; i < 150; ++i) {
    from.push_back({random.uniform(0, 640), random.uniform(0, 480)});
    to.push_back(i % 3 ? apply(truth, from[i]) + 0.5 * Point{random.normal(), random.normal()}
                       : Point{random.uniform(0, 640), random.uniform(0, 480)});
  }
  for (HomographyEstimator e : all) {
    if (!is_there(e)) continue;
    const RobustHomography found = estimate_homography(e, from, to);
    ASSERT_TRUE(found.homography) << name(e);
    for (Point c : {Point{0, 0}, Point{639, 0}, Point{0, 479}, Point{639, 479}}) {
      const Point d = apply(*found.homography, c) - apply(truth, c);
      EXPECT_LT(std::hypot(d.x, d.y), 2) << name(e);
    }
    EXPECT_GE(found.inlier_count(), 95) << name(e);
    EXPECT_LE(found.inlier_count(), 110) << name(e);
  }
}

TEST(HomographyEstimator, ThreeMatchesGiveNone) {
  for (HomographyEstimator e : all)
    if (is_there(e))
      EXPECT_FALSE(estimate_homography(e, std::vector<Point>(3), std::vector<Point>(3)).homography)
          << name(e);
}

TEST(HomographyEstimator, UnknownNamesAreRefused) {
  EXPECT_THROW(parse_homography_estimator("--estimator", "RANSAC"), UsageError);
}

}  // namespace
}  // namespace cairn
