#include "training/classical_detectors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "training/detector_metrics.h"
#include "training/filters.h"
#include "training/magicpoint_data.h"

namespace cairn {
namespace {

TEST(ClassicalDetectors, WithoutOpenCVTheErrorNamesThePackage) {
  if (have_classical_detectors()) GTEST_SKIP() << "this build has OpenCV";
  try {
    classical_corners(ClassicalDetector::fast, Tensor::zeros({16, 16, 1}));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.remedy.find("libopencv-dev"), std::string::npos);
  }
}

TEST(ClassicalDetectors, TheCornersOfASquareComeFirst) {
  if (!have_classical_detectors()) GTEST_SKIP() << "this build has no OpenCV";
  GrayImage square(64, 64);
  const Point corners[4] = {{20, 20}, {43, 20}, {43, 43}, {20, 43}};
  fill_polygon(square, corners, 255);
  const std::vector<float> smooth = gaussian_smoothed(square, 5);
  Tensor image = Tensor::empty({64, 64, 1});
  for (int i = 0; i < 64 * 64; ++i) image.data<float>()[i] = smooth[i] / 255;
  for (ClassicalDetector d : classical_detectors) {
    const std::vector<ScoredPoint> found = classical_corners(d, image);
    ASSERT_GE(found.size(), 4u) << name(d);
    for (Point corner : corners)
      EXPECT_TRUE(std::any_of(
          found.begin(), found.begin() + 4,
          [&](const ScoredPoint& p) { return std::hypot(p.x - corner.x, p.y - corner.y) <= 3; }))
          << name(d) << " misses " << corner.x << ", " << corner.y;
  }
}

// Published, at 4 px: FAST .755 / .082, Harris .695 / .254, Shi-Tomasi .585 / .123 clean / noisy.
TEST(ClassicalDetectors, FindMostCornersOfCleanShapesAndFewOfNoisyOnes) {
  if (!have_classical_detectors()) GTEST_SKIP() << "this build has no OpenCV";
  double precision[2][3];
  for (bool noisy : {false, true}) {
    std::vector<DetectorMetrics> metrics(3, DetectorMetrics(DetectorMetricOptions::published()));
    for (int i = 0; i < 150; ++i) {
      const DetectorTestImage test = magicpoint_test_image({}, i, noisy);
      for (ClassicalDetector d : classical_detectors)
        metrics[int(d)].add(classical_corners(d, test.image), test.points);
    }
    for (int d = 0; d < 3; ++d) precision[noisy][d] = metrics[d].average_precision();
  }
  for (ClassicalDetector d : classical_detectors) {
    EXPECT_GT(precision[false][int(d)], 0.5) << name(d);
    EXPECT_LT(precision[false][int(d)], 0.95) << name(d);
    EXPECT_LT(precision[true][int(d)], 0.5 * precision[false][int(d)]) << name(d);
  }
}

}  // namespace
}  // namespace cairn
