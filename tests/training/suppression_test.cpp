#include "training/suppression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "runtime/random.h"

namespace cairn {
namespace {

Keypoints random_points(int count) {
  Random random(5);
  Keypoints k;
  k.descriptor_size = 1;
  for (int i = 0; i < count; ++i) {
    k.points.push_back({float(random.uniform(0, 99)), float(random.uniform(0, 79))});
    k.scores.push_back(float(random.uniform()));
    k.descriptors.push_back(float(i));
  }
  return k;
}

TEST(Suppression, LeavesNoTwoPointsWithinTheSquareAndNoneThatCouldStay) {
  const Keypoints all = random_points(500);
  const Keypoints kept = suppressed(all, {Suppression::Rule::square, 4}, 80, 100);
  const auto near = [](const std::array<float, 2>& a, const std::array<float, 2>& b) {
    return std::abs(std::lround(a[0]) - std::lround(b[0])) <= 4 &&
           std::abs(std::lround(a[1]) - std::lround(b[1])) <= 4;
  };
  for (size_t i = 0; i < kept.points.size(); ++i)
    for (size_t j = 0; j < i; ++j) EXPECT_FALSE(near(kept.points[i], kept.points[j]));
  for (size_t i = 0; i < all.points.size(); ++i) {
    bool stands_or_falls = false;
    for (size_t j = 0; j < kept.points.size(); ++j)
      stands_or_falls |= near(all.points[i], kept.points[j]) && kept.scores[j] >= all.scores[i];
    EXPECT_TRUE(stands_or_falls) << i;
  }
}

TEST(Suppression, KeepsScoresAndDescriptorsWithTheirPointsAndSortsThem) {
  const Keypoints all = random_points(50),
                  kept = suppressed(all, {Suppression::Rule::none, 0}, 80, 100);
  std::set<float> seen;
  for (size_t i = 0; i < kept.points.size(); ++i) {
    const auto from = size_t(kept.descriptors[i]);
    EXPECT_EQ(kept.points[i], all.points[from]);
    EXPECT_EQ(kept.scores[i], all.scores[from]);
    if (i) {
      EXPECT_LE(kept.scores[i], kept.scores[i - 1]);
    }
  }
}

TEST(Suppression, BoxesOfSideFourReachThePublishedOffsets) {
  const std::set<std::pair<int, int>> reached = {{0, 0}, {1, 0}, {0, 1}, {1, 1}, {2, 0},
                                                 {0, 2}, {2, 1}, {1, 2}, {2, 2}, {3, 0},
                                                 {0, 3}, {3, 1}, {1, 3}};
  for (int dx = 0; dx < 6; ++dx)
    for (int dy = 0; dy < 6; ++dy) {
      Keypoints two;
      two.points = {{10, 10}, {float(10 + dx), float(10 - dy)}};
      two.scores = {1, 0.5f};
      const Keypoints kept = suppressed(two, {Suppression::Rule::boxes, 4}, 40, 40);
      EXPECT_EQ(kept.points.size(), reached.count({dx, dy}) ? 1u : 2u) << dx << ' ' << dy;
    }
}

TEST(Suppression, DropsPointsOutsideOfTheImage) {
  Keypoints k;
  k.points = {{-0.6f, 3}, {3, 80}, {NAN, 1}, {99.4f, 79}};
  k.scores = {1, 1, 1, 1};
  EXPECT_EQ(suppressed(k, {}, 80, 100).points.size(), 1u);
}

}  // namespace
}  // namespace cairn
