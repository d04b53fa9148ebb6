#include "training/homography_evaluation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/error.h"
#include "runtime/random.h"

namespace cairn {
namespace {

// A stub that finds what it is told to: an image's first byte says which set of points.
class Stub {
 public:
  KeypointMethod method() {
    return {"stub", 1, [this](const Tensor& image, const Suppression& rule) {
              return suppressed(sets_.at(image.data<uint8_t>()[0]), rule, int(image.dim(0)),
                                int(image.dim(1)));
            }};
  }
  Keypoints& set(int image) { return sets_[image]; }

  // One-hot descriptors: `id`s are alike to themselves alone.
  void add(int image, Point p, int id, double score = 1) {
    Keypoints& k = sets_[image];
    k.descriptor_size = ids;
    k.points.push_back({float(p.x), float(p.y)});
    k.scores.push_back(float(score));
    k.descriptors.resize(k.descriptors.size() + ids);
    k.descriptors[k.descriptors.size() - ids + size_t(id)] = 1;
  }

  HomographyScores score(const std::string& preset, const Matrix3& truth = {}, int64_t height = 240,
                         int64_t width = 320) {
    const HomographyProtocol protocol = homography_protocol(preset);
    const auto image = [&](int v) {
      return features(method(), Tensor::full({height, width, 1}, v, DType::u8), protocol);
    };
    return score_pair(image(1), image(2), truth, protocol, HomographyEstimator::ransac);
  }

 private:
  static constexpr size_t ids = 64;
  std::map<int, Keypoints> sets_;
};

// 48 points in the middle, 20 px apart.
std::vector<Point> middle_grid() {
  std::vector<Point> points;
  for (int y = 60; y < 180; y += 20)
    for (int x = 80; x < 240; x += 20) points.push_back({double(x + y % 3), y + (x % 7) / 2.0});
  return points;
}

TEST(HomographyEvaluation, PerfectPointsArePerfectUnderEveryPreset) {
  for (const std::string& preset : protocol_names()) {
    Stub stub;
    int id = 0;
    for (Point p : middle_grid()) {
      stub.add(1, p, id);
      stub.add(2, p, id++);
    }
    const HomographyScores s = stub.score(preset);
    if (preset == "mma") {
      EXPECT_TRUE(std::isnan(s.repeatability));
      EXPECT_EQ(s.matching_accuracy.size(), 10u);
    } else {
      EXPECT_EQ(s.repeatability, 1) << preset;
      EXPECT_EQ(s.localization_error, 0) << preset;
      EXPECT_EQ(s.nn_map, 1) << preset;
      EXPECT_EQ(s.matching_score, 1) << preset;
    }
    for (int r : {1, 3, 5}) {
      EXPECT_EQ(s.matching_accuracy.at(r), 1) << preset;
      EXPECT_EQ(s.homography_accuracy.at(r), 1) << preset;
      EXPECT_NEAR(s.homography_area.at(r), 1, 1e-3) << preset;
    }
  }
}

TEST(HomographyEvaluation, FewerThanFourMatchesAreNoHomographyAndNoneIsNoSuccess) {
  Stub stub;
  for (int i = 0; i < 3; ++i) {
    stub.add(1, {100.0 + 30 * i, 100.0 + i * i}, i);
    stub.add(2, {100.0 + 30 * i, 100.0 + i * i}, i);
  }
  HomographyScores s = stub.score("pairs");
  EXPECT_EQ(s.matches, 3);
  EXPECT_EQ(s.matching_accuracy.at(3), 1);
  EXPECT_EQ(s.homography_accuracy.at(5), 0);
  EXPECT_EQ(s.homography_area.at(5), 0);

  Stub blind;  // points in one image alone
  blind.add(1, {100, 100}, 0);
  blind.set(2).descriptor_size = 64;
  s = blind.score("pairs");
  EXPECT_EQ(s.matches, 0);
  EXPECT_EQ(s.matching_accuracy.at(3), 0);
  EXPECT_EQ(s.matching_score, 0);
  EXPECT_EQ(s.nn_map, 0);
  EXPECT_EQ(s.homography_accuracy.at(5), 0);
}

TEST(HomographyEvaluation, PointsWithoutDescriptorsHaveRepeatabilityAlone) {
  Stub stub;
  for (Point p : middle_grid()) {
    stub.add(1, p, 0);
    stub.add(2, p, 0);
  }
  for (int image : {1, 2}) {
    stub.set(image).descriptors.clear();
    stub.set(image).descriptor_size = 0;
  }
  const HomographyScores s = stub.score("cairn");
  EXPECT_EQ(s.repeatability, 1);
  EXPECT_TRUE(std::isnan(s.matching_score));
  EXPECT_TRUE(s.matching_accuracy.empty());
}

TEST(HomographyEvaluation, MeansLeaveOutWhatWasNotMeasured) {
  HomographyScores a, b, c;
  a.repeatability = 0.5;
  b.repeatability = 1;
  a.matching_accuracy[3] = 1;
  b.matching_accuracy[3] = 0;
  const HomographyScores m = mean({a, b, c});
  EXPECT_EQ(m.repeatability, 0.75);
  EXPECT_EQ(m.matching_accuracy.at(3), 0.5);
  EXPECT_TRUE(std::isnan(m.nn_map));
  EXPECT_TRUE(std::isnan(mean({}).repeatability));
}

// Where the presets must differ.

// Points of the first image that the second does not show have twins of their descriptors inside:
// they take the matches of those unless they are filtered out first.
TEST(Presets, OnlySomeFilterToTheSharedViewBeforeMatching) {
  const Matrix3 truth = translation(-160, 0);  // the left half leaves
  const auto scores = [&](const std::string& preset, int64_t height, int64_t width) {
    Stub stub;
    for (int i = 0; i < 12; ++i) {
      const double y = 20 + 15 * i;
      stub.add(1, {10.0 + 5 * (i % 3), y}, i, 2);    // leaves the view, and is surer
      stub.add(1, {200.0 + 30 * (i % 3), y}, i, 1);  // its twin stays
      stub.add(2, {40.0 + 30 * (i % 3), y}, i, 1);
    }
    return stub.score(preset, truth, height, width);
  };
  const HomographyScores in_view = scores("rp", 480, 640), among_all = scores("kp2d", 240, 320);
  EXPECT_EQ(in_view.matching_accuracy.at(3), 1);
  EXPECT_EQ(in_view.matching_score, 1);
  EXPECT_EQ(among_all.matching_accuracy.at(3), 0);
  // The way back is right for none, the way there for all that stay: on average one half.
  EXPECT_EQ(among_all.matching_score, 0.5);
  EXPECT_EQ(among_all.homography_accuracy.at(3), 1) << "the homography is sought in view alone";
}

TEST(Presets, EyJudgesMatchesByTheHomographyThatTheyLeadTo) {
  const auto scores = [&](const std::string& preset) {
    Stub stub;
    int id = 0;
    for (Point p : middle_grid()) {
      stub.add(1, p, id);
      stub.add(2, p + Point{30, 0}, id++);  // all agree on a shift that is not the truth
    }
    return stub.score(preset);
  };
  EXPECT_EQ(scores("ey").matching_score, 1);
  EXPECT_EQ(scores("ey").nn_map, 1);
  EXPECT_EQ(scores("paper").matching_score, 0);
  EXPECT_EQ(scores("paper").nn_map, 0);
}

TEST(Presets, SomeChooseTheBestPointsAfterTheViewIsFiltered) {
  // 300 sure points that leave the view, and one that stays.
  Stub stub;
  for (int i = 0; i < 300; ++i) stub.add(1, {5.0 * (i % 30), 5.0 * (i / 30)}, 0, 2);
  stub.add(1, {300, 200}, 1, 1);
  stub.add(2, {140, 200}, 1, 1);
  for (const std::string preset : {"paper", "rp", "kp2d"})
    EXPECT_EQ(stub.score(preset, translation(-160, 0)).repeatability, 1) << preset;
  EXPECT_EQ(stub.score("cairn", translation(-160, 0)).repeatability, 0);
}

TEST(Presets, SuppressionDiffers) {
  Stub stub;
  for (int image : {1, 2}) {
    stub.add(image, {100, 100}, 0, 2);
    stub.add(image, {104, 100}, 1, 1);  // within the square of 4, beyond boxes of 4
  }
  const auto points = [&](const std::string& preset) {
    const HomographyProtocol p = homography_protocol(preset);
    const Tensor image = Tensor::full({240, 320, 1}, 1, DType::u8);
    return features(stub.method(), image, p).repeatability.points.points.size();
  };
  EXPECT_EQ(points("cairn"), 1u);
  EXPECT_EQ(points("rp"), 2u);
  EXPECT_EQ(points("kp2d"), 2u);
}

TEST(Presets, AnUnknownOneIsRefusedWithTheList) {
  try {
    homography_protocol("best");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_EQ(e.expected, "cairn, paper, rp, ey, kp2d, mma, pairs");
  }
}

// A dot of the original is found where the map sends it: half a pixel off without pixel centres.
TEST(PreparedImages, CarryTheMapOfTheirPixels) {
  Tensor image = Tensor::zeros({200, 400, 1}, DType::u8);
  for (int y = 80; y < 88; ++y)
    for (int x = 120; x < 128; ++x) image.data<uint8_t>()[y * 400 + x] = 200;
  const Point dot{123.5, 83.5};
  for (const std::string preset : {"cairn", "paper", "rp", "ey", "kp2d", "mma"})
    for (ImageSize size : {ImageSize{100, 160}, {150, 160}, {400, 700}}) {
      const HomographyProtocol protocol = homography_protocol(preset);
      const PreparedImage p = prepared(image, protocol, size);
      double sum = 0, sx = 0, sy = 0;
      for (int64_t y = 0; y < p.image.dim(0); ++y)
        for (int64_t x = 0; x < p.image.dim(1); ++x) {
          const double v = p.image.data<uint8_t>()[y * p.image.dim(1) + x];
          sum += v;
          sx += v * double(x);
          sy += v * double(y);
        }
      const Point expected = apply(p.from_original, dot);
      if (preset != "mma") {
        EXPECT_EQ(p.image.dim(0), size.height);
        EXPECT_EQ(p.image.dim(1), size.width);
      }
      const double half = protocol.pixel_centres ? 0.1 : 0.55;
      ASSERT_GT(sum, 0) << preset;
      EXPECT_NEAR(sx / sum, expected.x, half) << preset << size.width;
      EXPECT_NEAR(sy / sum, expected.y, half) << preset << size.height;
    }
}

TEST(PreparedImages, CropsKeepTheMiddleOrTheUpperLeft) {
  const Tensor wide = Tensor::zeros({240, 400, 1}, DType::u8);
  EXPECT_EQ(apply(prepared(wide, homography_protocol("rp"), {240, 320}).from_original, {40, 0}).x,
            0);
  EXPECT_EQ(apply(prepared(wide, homography_protocol("ey"), {240, 320}).from_original, {40, 0}).x,
            40);
}

}  // namespace
}  // namespace cairn
