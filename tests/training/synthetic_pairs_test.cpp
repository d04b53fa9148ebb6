#include "training/synthetic_pairs.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/error.h"
#include "training/opencv_keypoints.h"
#include "training/pair_evaluation.h"

namespace cairn {
namespace {

const TextureOptions options{120, 160, 5};

double mean_difference(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.count(); ++i)
    sum += std::abs(double(a.data<uint8_t>()[i]) - b.data<uint8_t>()[i]);
  return sum / double(a.count());
}

// The second image, seen at where the map sends the first one's pixels: nearest neighbours, over
// the shared view.
double difference_under_map(const ImagePair& pair) {
  const int64_t height = pair.first.dim(0), width = pair.first.dim(1);
  double sum = 0;
  int64_t count = 0;
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const Point p = apply(pair.first_to_second, {double(x), double(y)});
      const int64_t u = std::lround(p.x), v = std::lround(p.y);
      if (!(u >= 0 && u < width && v >= 0 && v < height)) continue;
      sum += std::abs(double(pair.first.data<uint8_t>()[y * width + x]) -
                      pair.second.data<uint8_t>()[v * width + u]);
      ++count;
    }
  EXPECT_GE(2 * count, height * width) << "half of the first image is seen";
  return sum / double(count);
}

TEST(SyntheticPairs, TheMapSendsOneImageToTheOther) {
  for (PairLevel level : {PairLevel::easy, PairLevel::medium, PairLevel::hard}) {
    double mapped = 0, unmapped = 0;
    for (int64_t i = 0; i < 6; ++i) {
      const ImagePair pair = synthetic_pair(options, level, i);
      mapped += difference_under_map(pair);
      unmapped += mean_difference(pair.first, pair.second);
    }
    EXPECT_LT(mapped, 0.6 * unmapped) << name(level);
  }
}

TEST(SyntheticPairs, DependOnSeedLevelAndNumberAlone) {
  const ImagePair a = synthetic_pair(options, PairLevel::medium, 3);
  synthetic_pair(options, PairLevel::hard, 1);
  const ImagePair again = synthetic_pair(options, PairLevel::medium, 3);
  EXPECT_EQ(a.second.values<uint8_t>(), again.second.values<uint8_t>());
  EXPECT_EQ(a.first_to_second.m, again.first_to_second.m);
  EXPECT_NE(a.first_to_second.m, synthetic_pair(options, PairLevel::medium, 4).first_to_second.m);
  EXPECT_NE(a.first_to_second.m, synthetic_pair(options, PairLevel::easy, 3).first_to_second.m);
}

TEST(SyntheticPairs, LevelsTurnAndScaleAsFarAsTheySay) {
  Random random(1);
  double most_turned[3] = {}, most_scaled[3] = {};
  for (PairLevel level : {PairLevel::easy, PairLevel::medium, PairLevel::hard})
    for (int i = 0; i < 200; ++i) {
      const Matrix3 h = viewpoint_change(level, 240, 320, random);
      // The derivative at the centre of the first image, which the shift moves little.
      const Point c = apply(h, {159.5, 119.5}), x = apply(h, {160.5, 119.5});
      const double turned = std::abs(std::atan2(x.y - c.y, x.x - c.x)) * 180 / 3.14159265;
      const double scaled = std::hypot(x.x - c.x, x.y - c.y);
      most_turned[int(level)] = std::max(most_turned[int(level)], turned);
      most_scaled[int(level)] = std::max(most_scaled[int(level)], std::max(scaled, 1 / scaled));
    }
  // A perspective of p bends directions and scales by about p / 10 at the largest shift.
  EXPECT_NEAR(most_turned[0], 15, 3);
  EXPECT_NEAR(most_turned[1], 30, 5);
  EXPECT_GT(most_turned[2], 150);
  EXPECT_NEAR(most_scaled[0], 1.2, 0.1);
  EXPECT_NEAR(most_scaled[1], 1.5, 0.2);
  EXPECT_NEAR(most_scaled[2], 2, 0.4);
  EXPECT_THROW(viewpoint_change(PairLevel::illumination, 240, 320, random), Error);
}

TEST(SyntheticPairs, IlluminationChangesGreysAndNothingElse) {
  int changed = 0;
  for (int64_t i = 0; i < 10; ++i) {
    const ImagePair pair = synthetic_pair(options, PairLevel::illumination, i);
    EXPECT_EQ(pair.first_to_second.m, Matrix3{}.m);
    EXPECT_EQ(pair.first.values<uint8_t>(), texture(options, i).values<uint8_t>());
    changed += mean_difference(pair.first, pair.second) > 5;
  }
  EXPECT_GE(changed, 8);
}

TEST(SyntheticPairs, SiftFindsMostHomographiesOfEasyPairs) {
  if (!have_opencv_methods()) GTEST_SKIP() << "this build has no OpenCV";
  int reported = 0;
  const HomographyEvaluation e = evaluate_pairs(
      classical_method("sift"), {240, 320, 1}, {PairLevel::easy}, 8, homography_protocol("pairs"),
      HomographyEstimator::ransac, [&](const std::string& level) {
        EXPECT_EQ(level, "easy");
        ++reported;
      });
  EXPECT_EQ(reported, 8);
  const HomographyScores s = e.mean_of("");
  EXPECT_GE(s.homography_accuracy.at(3), 0.85);
  EXPECT_GT(s.repeatability, 0.4);
  EXPECT_GT(s.positive_cosine, s.negative_cosine);
}

}  // namespace
}  // namespace cairn
