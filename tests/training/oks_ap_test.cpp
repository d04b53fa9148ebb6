#include "training/oks_ap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "runtime/random.h"
#include "tests/caught.h"

namespace cairn {
namespace {

const std::vector<double> coco_sigmas{.026, .025, .025, .035, .035, .079, .079, .072, .072,
                                      .062, .062, .107, .107, .087, .087, .089, .089};

// A person of area 10^4 with these points labelled, and a prediction 5 pixels off.
double five_pixels_off(const std::vector<size_t>& labelled) {
  Instance truth;
  truth.area = 1e4;
  truth.points.resize(17);
  std::vector<ScoredPoint> predicted;
  for (size_t k = 0; k < 17; ++k) {
    const double x = 10.0 * double(k), y = 200 - 7.0 * double(k);
    if (std::count(labelled.begin(), labelled.end(), k))
      truth.points[k] = {x, y, k % 2 ? Visibility::hidden : Visibility::visible};
    predicted.push_back({x + 3, y - 4, 1});
  }
  return object_similarity(truth, predicted, coco_sigmas);
}

TEST(ObjectSimilarity, PublishedValues) {
  std::vector<size_t> all(17);
  for (size_t k = 0; k < 17; ++k) all[k] = k;
  EXPECT_NEAR(five_pixels_off(all), .8711549524, 1e-9);
  EXPECT_NEAR(five_pixels_off({0}), .6298471510, 1e-9);
  EXPECT_NEAR(five_pixels_off({11}), .9730741810, 1e-9);
}

TEST(ObjectSimilarity, OfAnUnlabelledInstanceCountsTheDistanceToItsBoxEnlarged) {
  Instance truth;
  truth.points.resize(2);
  truth.box = {99.5, 99.5, 10, 20};  // 90 .. 120 and 80 .. 140 as enlarged
  truth.area = 100;
  const std::vector<double> sigmas{0.05, 0.1};
  const std::vector<ScoredPoint> inside{{90, 80, 1}, {120, 140, 1}},
      off{{87, 144, 1}, {100, 100, 1}};
  EXPECT_EQ(object_similarity(truth, inside, sigmas), 1);
  // 3 to the left, 4 below: 25 / (8 0.05^2 100)
  EXPECT_NEAR(object_similarity(truth, off, sigmas), (std::exp(-25 / 2.0) + 1) / 2, 1e-12);
}

TEST(ObjectSimilarity, APointWithoutPredictionIsInfinitelyFar) {
  Instance truth;
  truth.area = 100;
  truth.points = {{5, 5, Visibility::visible}, {7, 7, Visibility::visible}};
  const std::vector<double> sigmas{0.05, 0.1};
  const std::vector<ScoredPoint> half{{NAN, NAN, 0}, {7, 7, 1}};
  EXPECT_EQ(object_similarity(truth, half, sigmas), 0.5);
}

TEST(AveragePrecision, OfSequencesSolvedByHand) {
  EXPECT_NEAR(average_precision_101({true, false, true, true, false}, 4), .6287128713, 1e-9);
  EXPECT_NEAR(average_precision_101({true, true, false}, 2), 1, 1e-12);
  EXPECT_NEAR(average_precision_101({false, true}, 1), .5, 1e-12);
  EXPECT_EQ(average_precision_101({}, 3), 0);
}

struct Scenes {
  KeypointDataset truth;
  std::vector<PredictedInstance> found;
};
constexpr int K = 3;
const std::vector<double> three_sigmas{0.05, 0.1, 0.08};

// Few images with few objects of coarse coordinates and scores: ties, crowds, unlabelled ones,
// empty images, more detections than are allowed, all of it often.
Scenes random_scenes(Random& random) {
  Scenes s;
  s.truth.skeleton.names = {"a", "b", "c"};
  const int images = random.integer(1, 4);
  for (int i = 0; i < images; ++i) {
    AnnotatedImage image;
    image.id = 10 * ((i * 7) % 5) + 1;  // not in rising order
    for (int g = random.integer(0, 4); g > 0; --g) {
      Instance t;
      const double side = 20 * std::pow(2.0, random.integer(0, 3));
      const double x = random.integer(0, 3) * 40, y = random.integer(0, 3) * 40;
      for (int k = 0; k < K; ++k)
        t.points.push_back({x + k * side / 3, y + random.integer(0, 2) * side / 3,
                            Visibility(random.integer(0, 2))});
      if (random.uniform() < 0.2) t.points.assign(K, {});
      t.box = {x - 0.5, y - 0.5, side, side};
      t.area = random.uniform() < 0.2 ? 32 * 32 : 0.5 * side * side;
      t.crowd = random.uniform() < 0.15;
      image.instances.push_back(t);
    }
    for (int d = random.integer(0, 6); d > 0; --d) {
      PredictedInstance p;
      p.image = image.id;
      p.score = random.integer(0, 4) / 4.0;
      const double x = random.integer(0, 3) * 40, y = random.integer(0, 3) * 40;
      const bool near = !image.instances.empty() && random.uniform() < 0.8;
      const Instance* of =
          near ? &image.instances[size_t(random.integer(0, int(image.instances.size()) - 1))]
               : nullptr;
      for (int k = 0; k < K; ++k)
        p.points.push_back({(of ? of->points[size_t(k)].x : x) + random.integer(-3, 3),
                            (of ? of->points[size_t(k)].y : y) + random.integer(-3, 3), 1});
      s.found.push_back(p);
    }
    s.truth.images.push_back(image);
  }
  return s;
}

// The definition, word by word and without regard to cost. Recalls are multiples of 0.01 as
// computed: 70 x 0.01 is a little more than 7 / 10.
class Slow {
 public:
  Slow(const Scenes& s, double least, double low, double high, size_t most)
      : s_(s), least_(least), low_(low), high_(high), most_(most) {
    std::vector<int64_t> ids;
    for (const AnnotatedImage& image : s.truth.images) ids.push_back(image.id);
    std::sort(ids.begin(), ids.end());
    for (int64_t id : ids) image(id);
    std::stable_sort(counted_.begin(), counted_.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
  }
  double ap() const {
    if (annotated_ == 0) return -1;
    double sum = 0;
    for (int r = 0; r <= 100; ++r) {
      double best = 0;
      for (size_t n = 1; n <= counted_.size(); ++n)
        if (right(n) / annotated_ >= r * 0.01) best = std::max(best, right(n) / double(n));
      sum += best;
    }
    return sum / 101;
  }
  double recall() const { return annotated_ == 0 ? -1 : right(counted_.size()) / annotated_; }

 private:
  double right(size_t n) const {
    return double(std::count_if(counted_.begin(), counted_.begin() + int64_t(n),
                                [](const auto& c) { return c.second; }));
  }
  bool ignored(const Instance& t) const {
    bool labelled = false;
    for (const LabelledPoint& p : t.points) labelled |= p.v != Visibility::missing;
    return t.crowd || !labelled || t.area < low_ || t.area > high_;
  }
  void image(int64_t id) {
    const Instance* free[8];
    size_t n = 0;
    for (const AnnotatedImage& i : s_.truth.images)
      if (i.id == id)
        for (const Instance& t : i.instances) {
          free[n++] = &t;
          annotated_ += !ignored(t);
        }
    std::vector<const PredictedInstance*> found;
    for (const PredictedInstance& p : s_.found)
      if (p.image == id) found.push_back(&p);
    std::stable_sort(found.begin(), found.end(),
                     [](auto* a, auto* b) { return a->score > b->score; });
    if (found.size() > most_) found.resize(most_);
    for (const PredictedInstance* p : found) {
      const Instance** taken = nullptr;
      for (const bool among_ignored : {false, true}) {
        double best = least_;
        for (size_t g = 0; g < n && !(among_ignored && taken && !ignored(**taken)); ++g)
          if (free[g] && ignored(*free[g]) == among_ignored)
            if (const double o = object_similarity(*free[g], p->points, three_sigmas); o >= best) {
              best = o;
              taken = &free[g];
            }
        if (taken) break;
      }
      double x0 = 1e9, x1 = -1e9, y0 = 1e9, y1 = -1e9;
      for (const ScoredPoint& q : p->points) {
        x0 = std::min(x0, q.x), x1 = std::max(x1, q.x);
        y0 = std::min(y0, q.y), y1 = std::max(y1, q.y);
      }
      const double area = (x1 - x0) * (y1 - y0);
      if (taken ? !ignored(**taken) : area >= low_ && area <= high_)
        counted_.push_back({p->score, taken != nullptr});
      if (taken && !(*taken)->crowd) *taken = nullptr;
    }
  }

  const Scenes& s_;
  double least_, low_, high_;
  size_t most_;
  double annotated_ = 0;
  std::vector<std::pair<double, bool>> counted_;
};

TEST(ObjectPrecision, EqualsASlowImplementationOnAThousandRandomSetsOfScenes) {
  for (uint64_t i = 0; i < 1000; ++i) {
    Random random(1, i);
    const Scenes s = random_scenes(random);
    const int most = i % 3 ? 20 : 3;
    const ObjectPrecision fast = object_precision(s.truth, s.found, three_sigmas, most);
    double ap[3] = {}, ar[3] = {};
    const double ranges[3][2] = {{0, 1e10}, {32 * 32, 96 * 96}, {96 * 96, 1e10}};
    for (int a = 0; a < 3; ++a)
      for (double t : similarity_thresholds()) {
        const Slow slow(s, t, ranges[a][0], ranges[a][1], size_t(most));
        ap[a] += slow.ap() / 10;
        ar[a] += slow.recall() / 10;
      }
    const Slow at_50(s, .5, 0, 1e10, size_t(most)), at_75(s, .75, 0, 1e10, size_t(most));
    ASSERT_NEAR(fast.ap, ap[0], 1e-12) << i;
    ASSERT_NEAR(fast.ap50, at_50.ap(), 1e-12) << i;
    ASSERT_NEAR(fast.ap75, at_75.ap(), 1e-12) << i;
    ASSERT_NEAR(fast.ap_medium, ap[1], 1e-12) << i;
    ASSERT_NEAR(fast.ap_large, ap[2], 1e-12) << i;
    ASSERT_NEAR(fast.ar, ar[0], 1e-12) << i;
    ASSERT_NEAR(fast.ar50, at_50.recall(), 1e-12) << i;
    ASSERT_NEAR(fast.ar_medium, ar[1], 1e-12) << i;
    ASSERT_NEAR(fast.ar_large, ar[2], 1e-12) << i;
  }
}

// Every labelled instance once, with scores that differ.
Scenes perfect(uint64_t seed) {
  Random random(2, seed);
  Scenes s = random_scenes(random);
  s.found.clear();
  for (AnnotatedImage& image : s.truth.images)
    for (Instance& t : image.instances) {
      t.crowd = false;
      for (LabelledPoint& p : t.points)
        if (p.v == Visibility::missing) p.v = Visibility::visible;
      PredictedInstance p{image.id, {}, random.uniform()};
      for (const LabelledPoint& q : t.points) p.points.push_back({q.x, q.y, 1});
      s.found.push_back(p);
    }
  return s;
}

TEST(ObjectPrecision, OfTheAnnotationsThemselvesIsOneWhateverTheOrder) {
  int empty = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    Scenes s = perfect(i);
    const double expected = s.found.empty() ? -1 : 1;
    empty += s.found.empty();
    EXPECT_NEAR(object_precision(s.truth, s.found, three_sigmas).ap, expected, 1e-12);
    std::reverse(s.found.begin(), s.found.end());
    std::reverse(s.truth.images.begin(), s.truth.images.end());
    const ObjectPrecision p = object_precision(s.truth, s.found, three_sigmas);
    EXPECT_NEAR(p.ap, expected, 1e-12);
    EXPECT_NEAR(p.ar, expected, 1e-12);
  }
  EXPECT_LT(empty, 40);
}

TEST(ObjectPrecision, DependsOnTheOrderOfScoresAlone) {
  for (uint64_t i = 0; i < 100; ++i) {
    Random random(3, i);
    Scenes s = random_scenes(random);
    const double before = object_precision(s.truth, s.found, three_sigmas).ap;
    for (PredictedInstance& p : s.found) p.score = std::exp(3 * p.score) - 7;
    EXPECT_EQ(object_precision(s.truth, s.found, three_sigmas).ap, before);
  }
}

TEST(ObjectPrecision, ALastTruePositiveNeverLowersItAndAFirstFalseOneNeverRaisesIt) {
  for (uint64_t i = 0; i < 100; ++i) {
    Scenes s = perfect(i);
    if (s.found.size() < 2) continue;
    PredictedInstance last = s.found.back();
    s.found.pop_back();
    const double without = object_precision(s.truth, s.found, three_sigmas).ap;
    last.score = -1;
    s.found.push_back(last);
    const double with = object_precision(s.truth, s.found, three_sigmas).ap;
    EXPECT_GE(with, without - 1e-12);
    PredictedInstance wrong = last;
    wrong.score = 2;
    for (ScoredPoint& p : wrong.points) p.x += 1e4;
    s.found.push_back(wrong);
    EXPECT_LE(object_precision(s.truth, s.found, three_sigmas).ap, with + 1e-12);
  }
}

TEST(ObjectPrecision, NamesEverythingThatDoesNotFit) {
  Scenes s = perfect(1);
  s.truth.source = "truth.json";
  s.found.resize(2);
  s.found[0] = {777, std::vector<ScoredPoint>(K), 1};
  s.found[1].points.resize(2);
  const Error e = caught([&] { object_precision(s.truth, s.found, std::vector<double>{.1, 0}); });
  for (const char* part : {"2 sigmas for 3", "sigma 1 is 0", "detection 0 is of image 777",
                           "detection 1 has 2 points, not 3"})
    EXPECT_NE(e.wrong.find(part), std::string::npos) << part << '\n' << e.wrong;
  EXPECT_NE(e.expected.find("truth.json"), std::string::npos);
}

}  // namespace
}  // namespace cairn
