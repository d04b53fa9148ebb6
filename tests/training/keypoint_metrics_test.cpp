#include "training/keypoint_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/random.h"
#include "tests/caught.h"
#include "training/reference_length.h"

namespace cairn {
namespace {

LabelledPoint at(double x, double y, Visibility v = Visibility::visible) { return {x, y, v}; }

// Two instances of three points. Errors in pixels: 3 and 5, one missing; 10, 0 and 6.
struct TwoInstances {
  Instance a, b;
  std::vector<ScoredPoint> for_a{{3, 0, 1}, {13, 4, 1}, {500, 500, 1}};
  std::vector<ScoredPoint> for_b{{0, 10, 1}, {10, 0, 1}, {20, 6, 1}};
  TwoInstances() {
    a.points = {at(0, 0), at(10, 0, Visibility::hidden), {}};
    b.points = {at(0, 0), at(10, 0), at(20, 0)};
  }
};

TEST(KeypointErrors, OfTwoInstancesWorkedOutByHand) {
  const TwoInstances t;
  KeypointErrors e(3);
  e.add(t.a, t.for_a, 10);  // 0.3 0.5
  e.add(t.b, t.for_b, 20);  // 0.5 0 0.3
  const std::vector<double> all = e.points();
  EXPECT_DOUBLE_EQ(share_within(all, 0.2), 1 / 5.0);
  EXPECT_DOUBLE_EQ(share_within(all, 0.3), 3 / 5.0);  // at the threshold counts
  EXPECT_DOUBLE_EQ(share_within(all, 0.5), 1);
  EXPECT_DOUBLE_EQ(share_within(e.points(std::vector<int>{0, 2}), 0.3), 2 / 3.0);
  EXPECT_NEAR(area_within(all, 0.5), (0.4 + 0 + 0 + 1 + 0.4) / 5, 1e-12);

  ASSERT_EQ(e.instances().size(), 2u);
  EXPECT_NEAR(e.instances()[0], 0.4, 1e-12);  // (0.3 + 0.5) / 2
  EXPECT_NEAR(e.instances()[1], 0.8 / 3, 1e-12);
  EXPECT_NEAR(area_within(e.instances(), 0.5), (0.2 + (1 - 1.6 / 3)) / 2, 1e-12);
  EXPECT_DOUBLE_EQ(1 - share_within(e.instances(), 0.3), 0.5);  // one of two fails

  EXPECT_NEAR(finite_mean(e.pixels()), 24 / 5.0, 1e-12);
  EXPECT_EQ(median(e.pixels()), 5);
  EXPECT_EQ(median(e.pixels(0)), 6.5);
  EXPECT_EQ(e.pixels(2), std::vector<double>{6});
}

TEST(KeypointErrors, APointWithoutPredictionIsWrongButInNoMean) {
  TwoInstances t;
  KeypointErrors e(3);
  t.for_b[1] = {NAN, NAN, 0};
  e.add(t.b, t.for_b, 20);
  e.add(t.a, std::vector<ScoredPoint>(3, {NAN, NAN, 0}), 10);
  EXPECT_DOUBLE_EQ(share_within(e.points(), 1e9), 2 / 5.0);
  EXPECT_EQ(share_within(e.instances(), 1e9), 0);
  EXPECT_EQ(area_within(e.instances(), 1), 0);
  EXPECT_EQ(finite_mean(e.pixels()), 8);
  EXPECT_EQ(median(e.pixels()), INFINITY);
}

TEST(KeypointErrors, WithoutALengthAnInstanceCountsInPixelsAlone) {
  const TwoInstances t;
  KeypointErrors e(3);
  e.add(t.a, t.for_a, NAN);
  e.add(t.b, t.for_b, 20);
  EXPECT_EQ(e.without_length(), 1);
  EXPECT_EQ(e.points().size(), 3u);
  EXPECT_EQ(e.instances().size(), 1u);
  EXPECT_EQ(e.pixels().size(), 5u);
}

TEST(KeypointErrors, OfNothingAreNoNumbers) {
  KeypointErrors e(3);
  Instance unlabelled;
  unlabelled.points.resize(3);
  e.add(unlabelled, std::vector<ScoredPoint>(3), NAN);
  EXPECT_EQ(e.without_length(), 0);
  for (double v : {share_within(e.points(), 1), area_within(e.instances(), 1),
                   finite_mean(e.pixels()), median(e.pixels())})
    EXPECT_TRUE(std::isnan(v));
}

TEST(KeypointErrors, RefuseAnotherNumberOfPoints) {
  TwoInstances t;
  t.b.id = 42;
  KeypointErrors e(3);
  const std::string said = wrong([&] { e.add(t.b, std::vector<ScoredPoint>(2), 1); });
  EXPECT_NE(said.find("instance 42 has 3 annotated and 2 predicted"), std::string::npos) << said;
}

TEST(KeypointErrors, UnderGaussianNoiseFollowTheRayleighDistribution) {
  Random random(1);
  const double sigma = 4, length = 30;
  KeypointErrors e(10);
  Instance truth;
  truth.points.assign(10, at(50, 60));
  for (int i = 0; i < 10000; ++i) {
    std::vector<ScoredPoint> p;
    for (int k = 0; k < 10; ++k)
      p.push_back({50 + sigma * random.normal(), 60 + sigma * random.normal(), 1});
    e.add(truth, p, length);
  }
  const std::vector<double> curve = share_curve(e.points(), 0.5, 10);
  for (int i = 0; i <= 10; ++i) {
    const double radius = 0.05 * i * length;
    EXPECT_NEAR(curve[size_t(i)], 1 - std::exp(-radius * radius / (2 * sigma * sigma)), 0.01) << i;
  }
}

TEST(KeypointErrors, TheAreaIsTheIntegralOfTheCurve) {
  Random random(2);
  std::vector<double> errors;
  for (int i = 0; i < 200; ++i) errors.push_back(std::abs(random.normal()) * 0.05);
  const std::vector<double> curve = share_curve(errors, 0.08, 200000);
  double sum = 0;
  for (size_t i = 1; i < curve.size(); ++i) sum += (curve[i - 1] + curve[i]) / 2 / 200000;
  EXPECT_NEAR(area_within(errors, 0.08), sum, 1e-5);
}

Instance face() {
  Instance i;
  for (int k = 0; k < 68; ++k) i.points.push_back(at(k, 0));
  i.points[36] = at(10, 20);
  i.points[45] = at(40, 60);
  return i;
}
Skeleton face_skeleton() {
  Skeleton s;
  for (int k = 0; k < 68; ++k) s.names.push_back("p" + std::to_string(k));
  return s;
}

TEST(ReferenceLength, OfHeadsBoxesFacesAndTorsosByHand) {
  Skeleton body;
  body.names = {"Right Shoulder", "left_hip", "nose"};
  Instance person;
  person.points = {at(10, 10), at(40, 50), at(13, 14)};
  person.head = Box{0, 0, 40, 30};
  person.box = {0, 0, 30, 80};
  EXPECT_DOUBLE_EQ(ReferenceLength("head", body).of(person), 30);
  EXPECT_DOUBLE_EQ(ReferenceLength("torso", body).of(person), 50);
  EXPECT_DOUBLE_EQ(ReferenceLength("side", body).of(person), 80);
  EXPECT_DOUBLE_EQ(ReferenceLength("nose:right_shoulder", body).of(person), 5);
  EXPECT_DOUBLE_EQ(ReferenceLength("pixels", body).of(person), 1);
  EXPECT_NEAR(ReferenceLength("box", body).of(person), std::sqrt(30.0 * 40), 1e-12);
  person.points[1].v = Visibility::missing;
  person.head.reset();
  EXPECT_TRUE(std::isnan(ReferenceLength("torso", body).of(person)));
  EXPECT_TRUE(std::isnan(ReferenceLength("head", body).of(person)));

  EXPECT_DOUBLE_EQ(ReferenceLength("interocular", face_skeleton()).of(face()), 50);
  // means of 36..41: ((10 + 37 + .. + 41) / 6, 20 / 6); of 42..47: ((42 + .. + 47 - 5) / 6, 10)
  EXPECT_NEAR(ReferenceLength("interpupil", face_skeleton()).of(face()),
              std::hypot(262 / 6.0 - 205 / 6.0, 10 - 20 / 6.0), 1e-12);
}

TEST(ReferenceLength, NormalisesPckAtHalfAHeadAtFifteenPixels) {
  Instance person;
  person.head = Box{0, 0, 40, 30};
  person.points = {at(100, 100)};
  Skeleton s;
  s.names = {"wrist"};
  for (const auto& [off, share] : {std::pair{15.0, 1.0}, {15.001, 0.0}}) {
    KeypointErrors e(1);
    e.add(person, std::vector<ScoredPoint>{{100, 100 + off, 1}},
          ReferenceLength("head", s).of(person));
    EXPECT_EQ(share_within(e.points(), 0.5), share);
  }
}

TEST(ReferenceLength, RefusesWhatTheDataHasNot) {
  Skeleton s;
  s.names = {"nose", "left_hip"};
  EXPECT_NE(wrong([&] { ReferenceLength("torso", s); }).find("right_shoulder"), std::string::npos);
  EXPECT_NE(wrong([&] { ReferenceLength("interocular", s); }).find("2 points"), std::string::npos);
  EXPECT_NE(wrong([&] { ReferenceLength("nose:tail", s); }).find("'tail'"), std::string::npos);
  EXPECT_NE(wrong([&] { ReferenceLength("metres", s); }).find("'metres'"), std::string::npos);
}

TEST(ReferenceLength, UsualOnesFollowTheData) {
  KeypointDataset d;
  d.skeleton.names = {"r_shoulder", "l_hip"};
  EXPECT_EQ(usual_reference(d), "torso");
  d.images.resize(1);
  d.images[0].instances.resize(1);
  d.images[0].instances[0].head = Box{};
  EXPECT_EQ(usual_reference(d), "head");
  d.skeleton.names = {"snout"};
  d.images.clear();
  EXPECT_EQ(usual_reference(d), "side");
  d.skeleton = face_skeleton();
  EXPECT_EQ(usual_reference(d), "interocular");
}

TEST(PointGroups, JoinLeftAndRightAndPckhLeavesOutPelvisAndThorax) {
  Skeleton s;
  s.names = {"right_ankle", "left_ankle", "pelvis", "thorax", "headTop",
             "l_ear",       "r_ear",      "eyeL",   "eyeR",   "leftwing",
             "rightwing",   "legR1",      "legL1",  "p1",     "p2"};
  s.swap = {1, 0, 2, 3, 4, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13};
  std::vector<std::string> names;
  for (const PointGroup& g : point_groups(s)) names.push_back(g.name);
  EXPECT_EQ(names, (std::vector<std::string>{"ankle", "pelvis", "thorax", "headTop", "ear", "eye",
                                             "wing", "leg1", "p1/p2"}));
  EXPECT_EQ(point_groups(s)[0].points, (std::vector<int>{0, 1}));
  EXPECT_EQ(pckh_points(s), (std::vector<int>{0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}));
}

}  // namespace
}  // namespace cairn
