#include "training/stickman.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/error.h"

namespace cairn {
namespace {

TEST(Stickman, AnImageIsTheSameInAnyOrder) {
  const StickmanOptions options;
  const Stickman first = stickman(options, 7);
  stickman(options, 6);
  const Stickman again = stickman(options, 7);
  EXPECT_EQ(first.image.values<uint8_t>(), again.image.values<uint8_t>());
  EXPECT_EQ(first.figures[0].points[3].x, again.figures[0].points[3].x);
  EXPECT_NE(stickman(options, 8).image.values<uint8_t>(), again.image.values<uint8_t>());
}

TEST(Stickman, TheSkeletonSwapsLeftAndRightAndMirroringTwiceChangesNothing) {
  const Skeleton& s = mpii_skeleton();
  ASSERT_EQ(s.keypoints(), 16);
  for (int k = 0; k < 16; ++k) {
    EXPECT_EQ(s.swap[size_t(s.swap[size_t(k)])], k);
    const std::string &name = s.names[size_t(k)], &other = s.names[size_t(s.swap[size_t(k)])];
    if (name.starts_with("left_"))
      EXPECT_EQ(other, "right_" + name.substr(5));
    else if (!name.starts_with("right_"))
      EXPECT_EQ(other, name);
  }
}

// Without noise and patches, the wrist's pixel has the colour of the forearm between it and the
// elbow.
TEST(Stickman, JointsLieOnTheLimbsThatAreDrawn) {
  StickmanOptions options;
  options.distractor = options.occluder = 0;
  int same = 0, counted = 0;
  for (int i = 0; i < 40; ++i) {
    const Stickman s = stickman(options, i);
    const auto colour = [&](double x, double y, int c) {
      return int(s.image.data<uint8_t>()[(std::lround(y) * 128 + std::lround(x)) * 3 + c]);
    };
    const LabelledPoint &wrist = s.figures[0].points[10], &elbow = s.figures[0].points[11];
    if (std::min({wrist.x, wrist.y, elbow.x, elbow.y}) < 0 ||
        std::max({wrist.x, wrist.y, elbow.x, elbow.y}) > 127)
      continue;
    const double x = (wrist.x + elbow.x) / 2, y = (wrist.y + elbow.y) / 2;
    int difference = 0;
    for (int c = 0; c < 3; ++c)
      difference += std::abs(colour(wrist.x, wrist.y, c) - colour(x, y, c));
    same += difference < 100;  // two grains of at most 16 in three channels
    ++counted;
  }
  ASSERT_GT(counted, 20);
  EXPECT_GE(same, counted - 4);  // another limb may cross the forearm
}

TEST(Stickman, APointUnderAPatchIsHiddenAndOthersAreNot) {
  StickmanOptions options;
  options.distractor = 0;
  options.occluder = 1;
  int hidden = 0;
  for (int i = 0; i < 50; ++i) {
    const Instance figure = stickman(options, i).figures[0];
    for (const LabelledPoint& p : figure.points) hidden += p.v == Visibility::hidden;
  }
  EXPECT_GT(hidden, 50);
  EXPECT_LT(hidden, 50 * 8);
  options.occluder = 0;
  const Instance bare = stickman(options, 3).figures[0];
  for (const LabelledPoint& p : bare.points) EXPECT_EQ(p.v, Visibility::visible);
}

TEST(Stickman, TheFigureStandsInTheCentreAndTheDistractorMovesThereWhenAsked) {
  StickmanOptions options;
  options.distractor = 1;
  for (int i = 0; i < 10; ++i)
    for (const bool moved : {false, true}) {
      const Stickman s = stickman(options, i, moved);
      ASSERT_EQ(s.figures.size(), 2u);
      const Box &centred = s.figures[moved ? 1 : 0].box, &other = s.figures[moved ? 0 : 1].box;
      EXPECT_NEAR(centred.x + centred.width / 2, 63.5, 1e-9);
      EXPECT_NEAR(centred.y + centred.height / 2, 63.5, 1e-9);
      EXPECT_GT(std::hypot(other.x + other.width / 2 - 63.5, other.y + other.height / 2 - 63.5),
                40);
    }
}

TEST(Stickman, TheHeadsBoxHoldsTheHeadsTwoJoints) {
  for (int i = 0; i < 10; ++i) {
    const Instance figure = stickman({}, i).figures[0];
    const Box head = *figure.head;
    for (const int k : {8, 9}) {
      EXPECT_GE(figure.points[size_t(k)].x, head.x - 1e-9);
      EXPECT_LE(figure.points[size_t(k)].x, head.x + head.width + 1e-9);
      EXPECT_GE(figure.points[size_t(k)].y, head.y - 1e-9);
      EXPECT_LE(figure.points[size_t(k)].y, head.y + head.height + 1e-9);
    }
  }
}

TEST(Stickman, AnotherSizeShowsTheSameFigureAndABadOneIsRefused) {
  StickmanOptions large;
  large.size = 256;
  const Instance small = stickman({}, 5).figures[0], twice = stickman(large, 5).figures[0];
  EXPECT_NEAR(2 * (small.points[0].x + 0.5) - 0.5, twice.points[0].x, 1e-9);
  large.size = 16;
  EXPECT_THROW(stickman(large, 0), UsageError);
}

}  // namespace
}  // namespace cairn
