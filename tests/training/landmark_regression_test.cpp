#include "training/landmark_regression.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/caught.h"

namespace cairn {
namespace {

// [N, K, 2] from coordinates in tenths from the middle of the image.
Tensor points(int64_t images, int64_t each, std::vector<double> tenths) {
  for (double& v : tenths) v = 0.5 + v / 10;
  return Tensor::from({images, each, 2}, tenths);
}

std::vector<double> tenths(const Tensor& t) {
  std::vector<double> values = t.values<double>();
  for (double& v : values) v = 10 * (v - 0.5);
  return values;
}

void expect_near(const Tensor& found, const std::vector<double>& expected, double tolerance) {
  const std::vector<double> values = tenths(found);
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected[i], tolerance) << "coordinate " << i;
}

// X^T X = diag(5, 1) / 100: x weighs (1 1 + 2 1) / 5 = 0.6, y weighs 3 / 1.
TEST(LandmarkRegression, WithoutBiasByHand) {
  const Tensor from = points(3, 1, {1, 0, 2, 0, 0, 1}), to = points(3, 1, {1, 0, 1, 0, 0, 3});
  expect_near(LandmarkRegression(from, to).predict(points(1, 1, {1, 1})), {0.6, 3}, 1e-12);
  // A fifth of the largest element is 1: 3 / 6 and 3 / 2.
  expect_near(LandmarkRegression(from, to, {.ridge = 0.2}).predict(points(1, 1, {1, 1})),
              {0.5, 1.5}, 1e-12);
  // In float32 the same, as far as it holds the points.
  expect_near(LandmarkRegression(from.to(DType::f32), to).predict(points(1, 1, {1, 1})), {0.6, 3},
              1e-5);
}

// Centred, from is (-1,-1) (1,-1) (0,2), X^T X = diag(2, 6), and to is -2 0 2: both weigh 1.
TEST(LandmarkRegression, WithBiasByHand) {
  const Tensor from = points(3, 1, {0, 0, 2, 0, 1, 3}), to = points(3, 1, {0, 7, 2, 7, 4, 7});
  expect_near(LandmarkRegression(from, to, {.bias = true}).predict(points(2, 1, {1, 1, 2, 3})),
              {2, 7, 5, 7}, 1e-12);
  // Half of the largest element is 3: 2 / 5 and 6 / 9, about the means.
  expect_near(LandmarkRegression(from, to, {.bias = true, .ridge = 0.5})
                  .predict(points(2, 1, {1, 1, 2, 4})),
              {2, 7, 2 + 0.4 + 2, 7}, 1e-12);
}

TEST(LandmarkRegression, LandmarksThatCoincideCountOnce) {
  const Tensor once = points(3, 1, {1, 0, 2, 0, 0, 1}), to = points(3, 1, {1, 0, 1, 0, 0, 3});
  const Tensor twice = points(3, 2, {1, 0, 1, 0, 2, 0, 2, 0, 0, 1, 0, 1});
  const Tensor seen = LandmarkRegression(twice, to).predict(points(1, 2, {1, 1, 1, 1}));
  expect_near(seen, {0.6, 3}, 1e-4);
}

TEST(LandmarkRegression, OneImageIsAnsweredWithItsOwnPoints) {
  const Tensor from = points(1, 2, {1, 2, -1, 3}), to = points(1, 2, {4, 1, 0, -2});
  expect_near(LandmarkRegression(from, to).predict(from), {4, 1, 0, -2}, 1e-4);
  const LandmarkRegression constant(from, to, {.bias = true});
  expect_near(constant.predict(points(1, 2, {-3, 3, 2, 2})), {4, 1, 0, -2}, 1e-12);
}

TEST(LandmarkRegression, ALandmarkThatNeverMovesTellsNothing) {
  std::vector<double> from, to;
  for (int i = 0; i < 7; ++i) {
    from.insert(from.end(), {-1.1, 2.3});
    to.insert(to.end(), {double(i), double(-i)});
  }
  const LandmarkRegression fit(points(7, 1, from), points(7, 1, to), {.bias = true});
  expect_near(fit.predict(points(1, 1, {4, 4})), {3, -3}, 1e-12);
}

TEST(LandmarkRegression, EachPointIsFittedOnTheImagesThatHaveIt) {
  const Tensor from = points(4, 1, {1, 0, 2, 0, 0, 1, 9, 9});
  // The second point is twice the first coordinate, and unknown elsewhere; the last image knows
  // nothing.
  const Tensor to = points(4, 2, {1, 0, NAN, NAN, 1, 0, 4, 0, 0, 3, 0, 0, NAN, 5, 5, NAN});
  expect_near(LandmarkRegression(from, to).predict(points(1, 1, {1, 1})), {0.6, 3, 2, 0}, 1e-12);
}

TEST(LandmarkRegression, AMissingPointToRegressFromIsLeftOutAndThenItsMean) {
  const Tensor from = points(4, 2, {1, 0, 0, 2, 0, 1, 0, 4, 0, 0, 3, 0, 7, 7, NAN, 0});
  const Tensor to = points(4, 1, {1, 2, 2, 4, 3, 0, 50, 50});
  const LandmarkRegression fit(from, to);
  // The mean of the second point is (1, 2).
  const Tensor mean = fit.predict(points(1, 2, {0.5, 0.25, 1, 2}));
  expect_near(fit.predict(points(1, 2, {0.5, 0.25, NAN, 100})), tenths(mean), 1e-12);
  expect_near(fit.predict(from.rows(0, 3)), {1, 2, 2, 4, 3, 0}, 1e-4);  // the first three fit
}

TEST(LandmarkErrors, AreMeansOverTheKnownPointsOfAnImageOverItsLength) {
  // Eyes 4 and 5 tenths apart; errors 1 and 2, and 3 of the one point that is known.
  const Tensor truth = points(3, 3, {0, 0, 4, 0, NAN, 1, 0, 0, 3, 4, 1, 1, 0, 0, NAN, 0, 1, 0});
  const Tensor found = points(3, 3, {1, 0, 4, 2, 9, 9, 0, 0, 3, 4, 1, 4, 2, 0, 9, 9, 1, 0});
  const std::vector<double> lengths = reference_lengths(truth, {0, 1});
  EXPECT_NEAR(lengths[0], 0.4, 1e-12);
  EXPECT_NEAR(lengths[1], 0.5, 1e-12);
  EXPECT_TRUE(std::isnan(lengths[2]));
  EXPECT_TRUE(std::isnan(reference_lengths(truth, {1, 1})[0]));

  const KeypointErrors errors = landmark_errors(found, truth, lengths);
  ASSERT_EQ(errors.instances().size(), 2u);
  EXPECT_NEAR(errors.instances()[0], (1 + 2) / 2.0 / 4, 1e-12);
  EXPECT_NEAR(errors.instances()[1], 3 / 3.0 / 5, 1e-12);
  EXPECT_EQ(errors.without_length(), 1);
  EXPECT_EQ(errors.pixels(2).size(), 2u);
  EXPECT_NEAR(errors.pixels(2)[0], 0.3, 1e-12);
}

// Two annotated points 2 apart that move as one with the only landmark, in x alone.
struct Moving {
  LandmarkSplit fit{points(2, 1, {-1, 0, 1, 0}), points(2, 2, {-2, 0, 0, 0, 0, 0, 2, 0})};
  LandmarkSplit test{points(2, 1, {-3, 0, 2, 0}), points(2, 2, {-4, 0, -2, 0, 1, 1, 3, 0})};
};

TEST(LandmarkScores, ForwardBackwardAndOfTheMeanShapeByHand) {
  const Moving m;
  const LandmarkScores s = landmark_scores(m.fit, m.test, {0, 1}, {.bias = true});
  // Predicted -4 -2 and 1 3 (y 0); the eyes are 2 and sqrt 5 apart, the error is 0 and (1 + 0) / 2.
  EXPECT_NEAR(s.error, 100 * (0 + 0.5 / std::sqrt(5.0)) / 2, 1e-3);
  ASSERT_EQ(s.points.size(), 2u);
  EXPECT_NEAR(s.points[0], 100 * (0 + 1 / std::sqrt(5.0)) / 2, 1e-3);
  EXPECT_NEAR(s.points[1], 0, 1e-3);
  // The mean shape is -1 1: 3 and 3 away in the first image, hypot(2, 1) and 2 in the second.
  EXPECT_NEAR(s.mean_shape, 100 * (3 / 2.0 + (std::sqrt(5.0) + 2) / 2 / std::sqrt(5.0)) / 2, 1e-9);
  // The other way round: the landmark is where the middle of both is.
  EXPECT_NEAR(backward_error(m.fit, m.test, {0, 1}, {.bias = true}), 0, 1e-3);
}

TEST(LandmarkScores, OfAPointThatIsNeverAnnotatedAreNoNumber) {
  Moving m;
  m.test.annotated = points(2, 2, {-4, 0, NAN, 0, 1, 0, NAN, 0});
  EXPECT_TRUE(std::isnan(landmark_scores(m.fit, m.test, {0, 1}).error));
}

TEST(LabelEfficiency, TakesTenSubsetsOfEachCountAndThenAll) {
  // Twelve images, two of them incomplete: every subset of ten would be the same.
  std::vector<double> from, to;
  for (int i = 0; i < 12; ++i) {
    from.insert(from.end(), {double(i % 5), double(i % 3)});
    to.insert(to.end(), {double(i % 5), double(i), i < 2 ? NAN : i % 5 + 2., 0});
  }
  const LandmarkSplit all{points(12, 1, from), points(12, 2, to)};
  const LandmarkSplit test{points(1, 1, {1, 1}), points(1, 2, {0, 0, 2, 0})};
  const auto curve = label_efficiency(all, test, {0, 1}, {.bias = true});
  ASSERT_EQ(curve.size(), 3u);
  EXPECT_EQ(curve[0].images, 1);
  EXPECT_EQ(curve[1].images, 5);
  EXPECT_EQ(curve[2].images, 12);
  EXPECT_GT(curve[0].sd, 0);
  EXPECT_EQ(curve[2].sd, 0);
  EXPECT_EQ(curve[2].mean, landmark_scores(all, test, {0, 1}, {.bias = true}).error);
  const auto again = label_efficiency(all, test, {0, 1}, {.bias = true}),
             other = label_efficiency(all, test, {0, 1}, {.bias = true}, 1);
  EXPECT_EQ(again[1].mean, curve[1].mean);
  EXPECT_NE(other[1].mean, curve[1].mean);
}

TEST(LandmarkRegression, RefusesWhatIsNoListOfPoints) {
  const Tensor from = points(2, 1, {1, 0, 0, 1}), to = points(2, 1, {1, 0, 0, 1});
  const auto fit = [](const Tensor& a, const Tensor& b, RegressionOptions o = {}) {
    return wrong([&] { LandmarkRegression(a, b, o); });
  };
  EXPECT_EQ(fit(Tensor::zeros({2, 1, 3}), Tensor::zeros({2, 1, 2}, DType::i32)),
            "from is no list of points for each image; to is i32 (from [2,1,3], to [2,1,2])");
  EXPECT_EQ(fit({}, to), "it is undefined");
  if (why_unavailable(Device::simt).empty())
    EXPECT_EQ(fit(from, Tensor::zeros({2, 1, 2}, DType::f32, Device::simt)),
              "to is on simt (from [2,1,2], to [2,1,2])");
  EXPECT_EQ(fit(from, to.rows(0, 1)), "from has 2 images, to has 1 (from [2,1,2], to [1,1,2])");
  EXPECT_EQ(fit(from, points(2, 1, {INFINITY, 0, 0, -INFINITY}), {.ridge = -1}),
            "to has 2 infinite coordinates; the ridge is -1 (from [2,1,2], to [2,1,2])");
  EXPECT_EQ(fit(Tensor::zeros({2, 0, 2}), to),
            "there is no point to regress from (from [2,0,2], to [2,1,2])");
  EXPECT_EQ(fit(Tensor::zeros({0, 1, 2}), Tensor::zeros({0, 2, 2})),
            "point 0 of to has no image to be fitted on; point 1 of to has no image to be fitted "
            "on (from [0,1,2], to [0,2,2])");
  EXPECT_EQ(fit(points(2, 1, {1, NAN, 0, 1}), points(2, 1, {1, 0, NAN, 1})),
            "point 0 of to has no image to be fitted on (from [2,1,2], to [2,1,2])");
  const LandmarkRegression good(from, to);
  EXPECT_EQ(wrong([&] {
              good.predict(points(1, 2, {0, 0, 0, 0}));
            }),
            "from has 2 points, the fit 1 (from [1,2,2])");
}

TEST(LandmarkErrors, RefuseOtherCounts) {
  const Tensor two = points(2, 2, {0, 0, 1, 0, 0, 0, 1, 0});
  EXPECT_EQ(wrong([&] {
              reference_lengths(two, {-1, 2});
            }),
            "there is no point -1; there is no point 2 (annotated [2,2,2])");
  const std::vector<double> lengths{1};
  EXPECT_EQ(wrong([&] {
              landmark_errors(points(2, 1, {0, 0, 1, 0}), two, lengths);
            }),
            "predicted has 1 points, truth has 2; there are 1 lengths (predicted [2,1,2], truth "
            "[2,2,2])");
  const Moving m;
  EXPECT_EQ(wrong([&] {
              landmark_scores(m.fit, {m.test.discovered.rows(0, 1), m.test.annotated}, {0, 1});
            }),
            "predicted has 1 images, truth has 2 (predicted [1,2,2], truth [2,2,2])");
  EXPECT_EQ(wrong([&] {
              label_efficiency({m.fit.discovered.rows(0, 1), m.fit.annotated}, m.test, {0, 1});
            }),
            "discovered has 1 images, annotated has 2 (discovered [1,1,2], annotated [2,2,2])");
}

}  // namespace
}  // namespace cairn
