#include "training/detector_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/random.h"

namespace cairn {
namespace {

TEST(DetectorMetrics, APerfectDetectorHasPrecisionOneAndNoError) {
  Random r(1);
  DetectorMetrics m;
  for (int image = 0; image < 10; ++image) {
    std::vector<Point> truth;
    std::vector<ScoredPoint> found;
    for (int i = 0; i < 8; ++i) {
      truth.push_back({r.uniform(0, 160), r.uniform(0, 120)});
      found.push_back({truth.back().x, truth.back().y, r.uniform(0.6, 1)});
    }
    m.add(found, truth);
  }
  EXPECT_EQ(m.average_precision(), 1);
  EXPECT_EQ(m.localisation_error(), 0);
}

// Scores .9 (hit), .8 (miss), .7 (hit), .6 (second hit on a taken point), of three true points:
// precisions at the hits 1 and 2/3, so AP = (1 + 2/3) / 3; sure distances 1 and 2 and 0.5.
TEST(DetectorMetrics, AHandWorkedCase) {
  DetectorMetrics m;
  m.add(std::vector<ScoredPoint>{{11, 10, 0.9}, {50, 50, 0.8}, {80, 82, 0.7}, {10, 10.5, 0.6}},
        std::vector<Point>{{10, 10}, {80, 80}, {100, 100}});
  EXPECT_NEAR(m.average_precision(), (1 + 2 / 3.0) / 3, 1e-12);
  EXPECT_NEAR(m.localisation_error(), (1 + 2 + 0.5) / 3, 1e-12);
}

TEST(DetectorMetrics, PrecisionIsMadeFallingFromTheRight) {
  DetectorMetrics m;  // miss, hit, hit: precisions 0, 1/2, 2/3
  m.add(std::vector<ScoredPoint>{{50, 50, 0.9}, {0, 0, 0.8}, {20, 0, 0.7}},
        std::vector<Point>{{0, 0}, {20, 0}});
  EXPECT_NEAR(m.average_precision(), 2 / 3.0, 1e-12);
}

TEST(DetectorMetrics, ASecondDetectionTakesTheNeighbourOnlyWithoutThePublishedRule) {
  const std::vector<Point> truth{{10, 10}, {12, 10}};
  const std::vector<ScoredPoint> found{{11, 10, 0.9}, {11, 10, 0.8}};
  DetectorMetrics ours, published(DetectorMetricOptions::published());
  ours.add(found, truth);
  published.add(found, truth);
  EXPECT_EQ(ours.average_precision(), 1);
  EXPECT_EQ(published.average_precision(), 0.5);
}

TEST(DetectorMetrics, RadiusIsIncludedAndLeastScoreIsNot) {
  DetectorMetrics m;
  m.add(std::vector<ScoredPoint>{{13, 10, 0.9}, {30, 10, 1e-4}},
        std::vector<Point>{{10, 10}, {30, 10}});
  EXPECT_EQ(m.detections(), 1);
  EXPECT_EQ(m.average_precision(), 0.5);
}

TEST(DetectorMetrics, ImagesWithoutPointsCountTheirDetectionsAsWrong) {
  DetectorMetrics m;
  EXPECT_TRUE(std::isnan(m.average_precision()));
  m.add(std::vector<ScoredPoint>{{5, 5, 0.9}}, {});
  EXPECT_TRUE(std::isnan(m.average_precision()));
  m.add(std::vector<ScoredPoint>{{5, 5, 0.8}}, std::vector<Point>{{5, 5}});
  EXPECT_EQ(m.average_precision(), 0.5);
}

// Scores without meaning: precision stays near the share of detections that hit by chance,
// 5 points x 29 pixels / 19200, at most.
TEST(DetectorMetrics, NoiseScoresNearItsBaseRate) {
  Random r(2);
  DetectorMetrics m;
  for (int image = 0; image < 100; ++image) {
    std::vector<Point> truth;
    std::vector<ScoredPoint> found;
    for (int i = 0; i < 5; ++i) truth.push_back({r.uniform(0, 160), r.uniform(0, 120)});
    for (int i = 0; i < 300; ++i)
      found.push_back({r.uniform(0, 160), r.uniform(0, 120), r.uniform()});
    m.add(found, truth);
  }
  EXPECT_LT(m.average_precision(), 0.02);
}

}  // namespace
}  // namespace cairn
