#include "training/keypoint_scores.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/caught.h"

namespace cairn {
namespace {

LabelledPoint at(double x, double y, Visibility v = Visibility::visible) { return {x, y, v}; }

// Two images; the first with two people side by side and a crowd, the second with one whose left
// hand is hidden. Their boxes have sides of 100.
KeypointDataset people() {
  KeypointDataset d;
  d.source = "people.json";
  d.skeleton = {{"head", "left_hand", "right_hand"}, {0, 2, 1}, {}, {}};
  const auto person = [](int64_t id, double x, bool crowd = false) {
    Instance i;
    i.id = id;
    i.points = {at(x, 10), at(x + 30, 60), at(x - 30, 60)};
    i.box = {x - 50, -0.5, 100, 80};
    i.area = 4000;
    i.crowd = crowd;
    return i;
  };
  d.images = {{1, "a.png", 0, 0, {person(1, 100), person(2, 200), person(3, 400, true)}},
              {2, "b.png", 0, 0, {person(4, 100)}}};
  d.images[1].instances[0].points[1].v = Visibility::hidden;
  return d;
}

PredictedInstance prediction(int64_t image, double x, double right, double score) {
  PredictedInstance p{image, {}, score};
  p.points = {{x + right, 10, 1}, {x + 30 + right, 60, 1}, {x - 30, 60, 1}};
  return p;
}

TEST(KeypointScores, OfThreePeopleWorkedOutByHand) {
  const KeypointDataset truth = people();
  // The first is 4 pixels off in two points, the second exact, the third 20 off in two points.
  const std::vector<PredictedInstance> found{prediction(1, 200, 0, .9), prediction(1, 100, 4, .8),
                                             prediction(2, 100, 20, .7)};
  KeypointProtocol protocol = KeypointProtocol::usual(truth);
  EXPECT_EQ(protocol.reference, "side");
  protocol.thresholds = {0.04, 0.1};
  protocol.alpha = 0.1;
  const KeypointScores s = evaluate(truth, found, protocol);
  EXPECT_EQ(s.images, 2);
  EXPECT_EQ(s.instances, 3);
  EXPECT_EQ(s.labelled, 9);
  EXPECT_EQ(s.unpredicted, 0);
  EXPECT_NEAR(s.pck[0], 7 / 9.0, 1e-12);
  EXPECT_NEAR(s.pck[1], 7 / 9.0, 1e-12);
  EXPECT_NEAR(s.pck_area, (5 + 2 * 0.6) / 9, 1e-12);
  EXPECT_NEAR(s.pck_visible, 7 / 8.0, 1e-12);
  EXPECT_EQ(s.pck_hidden, 0);
  EXPECT_NEAR(s.mean_pixels, 48 / 9.0, 1e-12);
  EXPECT_EQ(s.median_pixels, 0);
  EXPECT_NEAR(s.nme, (0.08 / 3 + 0 + 0.4 / 3) / 3, 1e-12);
  EXPECT_NEAR(s.auc, ((1 - 0.8 / 3) + 1 + 0) / 3, 1e-12);
  EXPECT_NEAR(s.failure_rate, 1 / 3.0, 1e-12);
  ASSERT_EQ(s.ced.size(), 51u);
  EXPECT_NEAR(s.ced.front(), 1 / 3.0, 1e-12);
  EXPECT_NEAR(s.ced.back(), 2 / 3.0, 1e-12);
  ASSERT_EQ(s.groups.size(), 2u);
  EXPECT_EQ(s.groups[1].name, "hand");
  EXPECT_EQ(s.groups[1].labelled, 6);
  EXPECT_NEAR(s.groups[1].pck, 5 / 6.0, 1e-12);
  EXPECT_NEAR(s.keypoints[1].mean_pixels, 8, 1e-12);
}

TEST(KeypointScores, OfTheAnnotationsThemselvesAreOne) {
  const KeypointDataset truth = people();
  const std::vector<PredictedInstance> found{prediction(1, 100, 0, .9), prediction(1, 200, 0, .8),
                                             prediction(2, 100, 0, .7)};
  const KeypointScores s = evaluate(truth, found, KeypointProtocol::usual(truth));
  for (double v : s.pck) EXPECT_EQ(v, 1);
  EXPECT_EQ(s.pck_hidden, 1);
  EXPECT_EQ(s.nme, 0);
  EXPECT_EQ(s.auc, 1);
  EXPECT_NEAR(s.oks.ap, 1, 1e-12);
}

TEST(KeypointScores, CompareAnInstanceWithThePredictionMadeForItsBox) {
  const KeypointDataset truth = people();
  // Both look at the second person; the surer one was meant for the first.
  std::vector<PredictedInstance> found{prediction(1, 200, 0, .9), prediction(1, 205, 0, .8),
                                       prediction(2, 100, 0, .7)};
  KeypointProtocol p = KeypointProtocol::usual(truth, "pixels");
  EXPECT_EQ(evaluate(truth, found, p).keypoints[0].median_pixels, 0);  // of 0, 105 and 0
  found[0].instance = 1;
  found[1].instance = 2;
  EXPECT_EQ(evaluate(truth, found, p).keypoints[0].median_pixels, 5);  // of 100, 5 and 0
}

TEST(KeypointScores, CountWhatHasNoPredictionAndNoLength) {
  KeypointDataset truth = people();
  truth.images[1].instances[0].box = {};
  const std::vector<PredictedInstance> found{prediction(2, 100, 0, .7)};
  const KeypointScores s = evaluate(truth, found, KeypointProtocol::usual(truth));
  EXPECT_EQ(s.unpredicted, 6);
  EXPECT_EQ(s.without_length, 1);
  EXPECT_EQ(s.pck.back(), 0);
  EXPECT_EQ(s.failure_rate, 1);
  EXPECT_EQ(s.mean_pixels, 0);
  EXPECT_TRUE(std::isnan(s.nme));
}

TEST(KeypointScores, ByHeadsLeaveOutPelvisAndThorax) {
  KeypointDataset truth = people();
  truth.skeleton.names = {"head_top", "pelvis", "thorax"};
  truth.images[0].instances.resize(1);
  truth.images[0].instances[0].head = Box{0, 0, 40, 30};
  truth.images.resize(1);
  PredictedInstance p = prediction(1, 100, 0, 1);
  p.points[1].x += 100;
  const KeypointProtocol protocol = KeypointProtocol::usual(truth);
  EXPECT_EQ(protocol.reference, "head");
  const KeypointScores s = evaluate(truth, std::vector{p}, protocol);
  EXPECT_EQ(s.pck.back(), 1);
  EXPECT_EQ(s.keypoints[1].pck, 0);
}

TEST(KeypointScores, NeedALabelledPoint) {
  KeypointDataset truth = people();
  for (AnnotatedImage& image : truth.images)
    for (Instance& i : image.instances) i.points.assign(3, {});
  const std::string said = error_of([&] { evaluate(truth, {}, KeypointProtocol::usual(truth)); });
  EXPECT_NE(said.find("people.json: 3 instances, but no point is labelled"), std::string::npos)
      << said;
}

}  // namespace
}  // namespace cairn
