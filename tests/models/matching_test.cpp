// Matching: the rules, the recorded matches of another implementation, and bad input.
#include "models/matching.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <set>

#include "geometry/ransac.h"
#include "runtime/error.h"
#include "runtime/random.h"
#include "runtime/safetensors.h"
#include "tests/data_folder.h"

namespace cairn {
namespace {

// Points with unit descriptors at these angles in the plane.
Keypoints at_angles(const std::vector<double>& degrees) {
  Keypoints k;
  k.descriptor_size = 2;
  for (double d : degrees) {
    k.points.push_back({float(d), 0});
    k.scores.push_back(1);
    k.descriptors.push_back(float(std::cos(d * std::numbers::pi / 180)));
    k.descriptors.push_back(float(std::sin(d * std::numbers::pi / 180)));
  }
  return k;
}

using Pairs = std::vector<std::pair<int, int>>;
Pairs pairs(const std::vector<Match>& matches) {
  Pairs p;
  for (const Match& m : matches) p.emplace_back(m.a, m.b);
  return p;
}

TEST(Matching, MutualNearestNeighboursAreEachOthersNearest) {
  const Keypoints a = at_angles({0, 40, 100}), b = at_angles({38, 2, 44});
  for (Device device : available_devices()) {
    EXPECT_EQ(pairs(match_keypoints(a, b, {}, device)), (Pairs{{0, 1}, {1, 0}})) << device;
    EXPECT_EQ(pairs(match_keypoints(a, b, {.mutual = false}, device)),
              (Pairs{{0, 1}, {1, 0}, {2, 2}}))
        << device;
  }
  EXPECT_NEAR(match_keypoints(a, b)[1].score, std::cos(2 * std::numbers::pi / 180), 1e-6);
}

TEST(Matching, RatioAndDistanceAreOfEuclideanDistances) {
  const Keypoints a = at_angles({0, 90}), b = at_angles({10, -30, 100, 112});
  const double ten = 2 * std::sin(5 * std::numbers::pi / 180),
               ratio = ten / (2 * std::sin(11 * std::numbers::pi / 180));
  EXPECT_EQ(pairs(match_keypoints(a, b, {.max_distance = ten + 1e-4})), (Pairs{{0, 0}, {1, 2}}));
  EXPECT_EQ(pairs(match_keypoints(a, b, {.max_distance = ten - 1e-4})), (Pairs{}));
  EXPECT_EQ(pairs(match_keypoints(a, b, {.max_ratio = ratio + 1e-4})), (Pairs{{0, 0}, {1, 2}}));
  EXPECT_EQ(pairs(match_keypoints(a, b, {.max_ratio = ratio - 1e-4})), (Pairs{{0, 0}}));
}

TEST(Matching, OfEquallyNearDescriptorsTheFirstCountsAndTheRatioTestRefusesThem) {
  const Keypoints a = at_angles({0}), b = at_angles({20, 5, 5});
  EXPECT_EQ(pairs(match_keypoints(a, b)), (Pairs{{0, 1}}));
  EXPECT_EQ(pairs(match_keypoints(a, b, {.max_ratio = 1})), (Pairs{}));
  EXPECT_EQ(pairs(match_keypoints(a, at_angles({7}), {.max_ratio = 0.5})), (Pairs{{0, 0}}));
}

TEST(Matching, AnEmptySetHasNoMatches) {
  EXPECT_TRUE(match_keypoints({}, {}).empty());
  EXPECT_TRUE(match_keypoints(at_angles({1}), {}).empty());
  EXPECT_TRUE(match_keypoints({}, at_angles({1})).empty());
}

TEST(Matching, BitsMatchByHammingDistance) {
  Random random(1);
  std::vector<std::vector<int>> bits(40, std::vector<int>(256));
  Keypoints k;
  k.descriptor_size = 256;
  for (auto& row : bits) {
    k.points.push_back({0, 0});
    for (int& bit : row)
      k.descriptors.push_back((bit = random.integer(0, 1)) ? 1 / 16.f : -1 / 16.f);
  }
  Keypoints from = k, to = k;
  from.points.resize(20);
  from.descriptors.resize(20 * 256);
  to.points.resize(20);
  to.descriptors.erase(to.descriptors.begin(), to.descriptors.begin() + 20 * 256);
  const std::vector<Match> matches = match_keypoints(from, to, {.mutual = false});
  ASSERT_EQ(matches.size(), 20u);
  for (const Match& m : matches) {
    const auto hamming = [&](int j) {
      int differ = 0;
      for (int c = 0; c < 256; ++c) differ += bits[m.a][c] != bits[20 + j][c];
      return differ;
    };
    EXPECT_FLOAT_EQ(m.score, 1 - float(hamming(m.b)) / 128);
    for (int j = 0; j < 20; ++j) {
      EXPECT_GE(hamming(j), hamming(m.b));
      if (j < m.b) EXPECT_GT(hamming(j), hamming(m.b));
    }
  }
}

void expect_error(const Keypoints& a, const Keypoints& b, const MatchOptions& o,
                  const std::vector<std::string>& parts) {
  try {
    match_keypoints(a, b, o);
    FAIL() << parts[0];
  } catch (const Error& e) {
    for (const std::string& part : parts)
      EXPECT_NE(e.wrong.find(part), std::string::npos) << e.what();
  }
}

TEST(Matching, SetsThatDoNotFitAreRefusedWithAllThatIsWrong) {
  const Keypoints good = at_angles({1, 2});
  Keypoints none = good, cut = good, wide = good;
  none.descriptors.clear();
  none.descriptor_size = 0;
  cut.descriptors.pop_back();
  wide.descriptor_size = 4;
  wide.descriptors.resize(8);
  expect_error(none, cut, {.max_ratio = -1},
               {"set a has no descriptors", "set b has 2 points and 3 numbers", "max_ratio is -1"});
  expect_error(good, wide, {.max_distance = NAN}, {"sizes 2 and 4", "max_distance is nan"});
}

// Keypoints as a recording holds them: points [N,3] with scores, descriptors [N,C].
Keypoints recorded(const SafetensorsFile& file, const std::string& side) {
  const Tensor &points = file.tensors.at("points_" + side), &desc = file.tensors.at("desc_" + side);
  Keypoints k;
  k.descriptor_size = int(desc.dim(1));
  k.descriptors = desc.values<float>();
  const auto p = points.values<float>();
  for (size_t i = 0; i < p.size(); i += 3) {
    k.points.push_back({p[i], p[i + 1]});
    k.scores.push_back(p[i + 2]);
  }
  return k;
}

TEST(Matching, TheRecordedMatchesOfAnotherImplementationAreReproducedExactly) {
  CAIRN_NEED_DATA(folder, "matching-golden");
  const SafetensorsFile file = read_safetensors(folder + "/pair2.safetensors");
  const Keypoints a = recorded(file, "a"), b = recorded(file, "b");
  std::multiset<std::vector<float>> want;
  const auto rows = file.tensors.at("matches").values<float>();
  for (size_t i = 0; i < rows.size(); i += 4)
    want.insert({rows[i], rows[i + 1], rows[i + 2], rows[i + 3]});
  ASSERT_GT(want.size(), 100u);
  for (Device device : available_devices()) {
    std::multiset<std::vector<float>> got;
    for (const Match& m : match_keypoints(a, b, {.max_distance = 1}, device))
      got.insert({a.points[m.a][0], a.points[m.a][1], b.points[m.b][0], b.points[m.b][1]});
    EXPECT_EQ(got, want) << device;
  }
  // The camera did not move between the two.
  std::vector<Point> from, to;
  for (size_t i = 0; i < rows.size(); i += 4) {
    from.push_back({rows[i], rows[i + 1]});
    to.push_back({rows[i + 2], rows[i + 3]});
  }
  const RobustHomography found = ransac_homography(from, to);
  ASSERT_TRUE(found.homography);
  for (Point c : {Point{0, 0}, Point{319, 0}, Point{0, 239}, Point{319, 239}}) {
    const Point d = apply(*found.homography, c) - c;
    EXPECT_LT(std::hypot(d.x, d.y), 3);
  }
}

}  // namespace
}  // namespace cairn
