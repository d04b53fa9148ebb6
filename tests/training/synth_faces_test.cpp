#include "training/synth_faces.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "runtime/random.h"
#include "tests/caught.h"
#include "training/keypoint_names.h"
#include "training/landmark_regression.h"

namespace cairn {
namespace {

TEST(SynthFaces, AFaceIsTheSameInAnyOrderAndAnotherNumberIsAnotherFace) {
  const SynthFaceOptions options{48, 3};
  const SynthFace first = synth_face(options, 7);
  synth_face(options, 6);
  const SynthFace again = synth_face(options, 7);
  EXPECT_EQ(first.image.values<uint8_t>(), again.image.values<uint8_t>());
  const std::vector<Point> points = synth_face_points(options, 7);
  ASSERT_EQ(points.size(), 10u);
  for (size_t k = 0; k < 10; ++k) {
    EXPECT_EQ(first.points[k].x, points[k].x);
    EXPECT_EQ(first.points[k].y, points[k].y);
  }
  for (const auto& [o, index] : {std::pair{options, 8}, {SynthFaceOptions{48, 4}, 7}}) {
    EXPECT_NE(synth_face(o, index).image.values<uint8_t>(), first.image.values<uint8_t>());
    EXPECT_NE(synth_face_points(o, index)[0].x, points[0].x);
  }
}

TEST(SynthFaces, AnotherSizeShowsTheSameFaceAndABadOneIsRefused) {
  const SynthFace small = synth_face({64, 1}, 5), twice = synth_face({128, 1}, 5);
  for (size_t k = 0; k < 10; ++k) {
    EXPECT_NEAR(2 * (small.points[k].x + 0.5) - 0.5, twice.points[k].x, 1e-9);
    EXPECT_NEAR(2 * (small.points[k].y + 0.5) - 0.5, twice.points[k].y, 1e-9);
  }
  // Pixels are means over areas: those of four pixels are the one below, but for the noise (the
  // mean of |N(0, sd)| with sd = 5.1 sqrt(1 + 1/4) is 4.5).
  const auto at = [](const Tensor& image, int64_t y, int64_t x, int64_t c) {
    return double(image.data<uint8_t>()[(y * image.dim(1) + x) * 3 + c]);
  };
  double sum = 0;
  for (int64_t y = 0; y < 64; ++y)
    for (int64_t x = 0; x < 64; ++x)
      for (int64_t c = 0; c < 3; ++c) {
        double four = 0;
        for (int64_t i : {0, 1})
          for (int64_t j : {0, 1}) four += at(twice.image, 2 * y + i, 2 * x + j, c) / 4;
        sum += std::abs(four - at(small.image, y, x, c));
      }
  EXPECT_LT(sum / (64 * 64 * 3), 6);

  EXPECT_NO_THROW(synth_face({16, 1}, 0));
  EXPECT_NO_THROW(synth_face({512, 1}, 0));
  EXPECT_EQ(wrong([] { synth_face({15, 1}, 0); }), "an image of 15 pixels");
  EXPECT_THROW(synth_face_points({513, 1}, 0), UsageError);
}

TEST(SynthFaces, LeftAndRightAreThePersons) {
  const Skeleton& s = synth_face_skeleton();
  EXPECT_EQ(s.names.size(), 10u);
  EXPECT_EQ(s.swap, swap_by_names(s.names));
  for (int i = 0; i < 50; ++i) {
    const std::vector<Point> points = synth_face_points({}, i);
    for (size_t k = 0; k < 10; ++k)
      if (s.names[k].starts_with("right_")) EXPECT_LT(points[k].x, points[size_t(s.swap[k])].x);
  }
}

// The colour of the pixel at p, a point within the image.
std::array<double, 3> colour(const SynthFace& f, Point p) {
  const int64_t x = std::lround(p.x), y = std::lround(p.y);
  const uint8_t* rgb = f.image.data<uint8_t>() + (y * f.image.dim(1) + x) * 3;
  return {double(rgb[0]), double(rgb[1]), double(rgb[2])};
}

double grey(const SynthFace& f, Point p) {
  const auto [r, g, b] = colour(f, p);
  return (r + g + b) / 3;
}

double redness(const SynthFace& f, Point p) {
  const auto [r, g, b] = colour(f, p);
  return r / (g + 1);
}

double difference(const SynthFace& f, Point p, Point q) {
  const auto a = colour(f, p), b = colour(f, q);
  return std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]);
}

// Steps are fractions of the way between the eyes, in the face's own directions.
TEST(SynthFaces, PointsLieOnWhatIsDrawn) {
  constexpr int faces = 60;
  double white_over_iris = 0, skin_over_brow = 0, skin_over_nose = 0;
  int lips = 0, skin = 0, off_skin = 0, contours = 0;
  for (int i = 0; i < faces; ++i) {
    const SynthFace f = synth_face({256, 2}, i);
    const Point along = f.points[1] - f.points[0], down{-along.y, along.x};
    for (const size_t eye : {0, 1}) {
      const Point &iris = f.points[eye], &brow = f.points[6 + eye];
      white_over_iris += grey(f, iris + 0.14 * along) - grey(f, iris);
      skin_over_brow += grey(f, brow + 0.09 * down) - grey(f, brow);
    }
    skin_over_nose += grey(f, f.points[2] + 0.1 * along) - grey(f, f.points[2]);
    // Lips end at the corners: the skin beyond is less red.
    const Point &right = f.points[3], &left = f.points[4], step = 0.1 * (left - right);
    lips += redness(f, right + step) > redness(f, right - step);
    lips += redness(f, left - step) > redness(f, left + step);
    for (const auto& [contour, inwards] : {std::pair{f.points[8], 1}, {f.points[9], -1}}) {
      const Point inside = contour + 0.07 * inwards * along;
      const Point outside = contour - 0.07 * inwards * along;
      if (outside.x < 0 || outside.x > 255) continue;
      const Point cheek = contour + 0.3 * inwards * along;
      skin += difference(f, inside, cheek) < 60;
      off_skin += difference(f, outside, cheek) >= 60;
      ++contours;
    }
  }
  EXPECT_GT(white_over_iris, 2 * faces * 120.);
  EXPECT_GT(skin_over_brow, 2 * faces * 60.);
  EXPECT_GT(skin_over_nose, faces * 25.);
  EXPECT_GT(lips, 2 * faces * 0.95);
  EXPECT_GT(contours, faces);
  EXPECT_GT(skin, contours * 0.95);
  EXPECT_GT(off_skin, contours * 0.85);  // the background may be like the skin
}

// Faces of one split as the regression reads them: which of the ten points are `discovered`, with
// Gaussian noise, and the five of the evaluation.
LandmarkSplit split(int64_t first, int64_t count, const std::vector<size_t>& which, double noise) {
  Random random(9, uint64_t(first));
  std::vector<double> discovered, annotated;
  for (int64_t i = first; i < first + count; ++i) {
    const std::vector<Point> points = synth_face_points({100, 11}, i);
    for (size_t k = 0; k < 5; ++k)
      annotated.insert(annotated.end(), {(points[k].x + 0.5) / 100, (points[k].y + 0.5) / 100});
    for (size_t k : which) {
      discovered.push_back((points[k].x + 0.5) / 100 + noise * random.normal());
      discovered.push_back((points[k].y + 0.5) / 100 + noise * random.normal());
    }
  }
  return {Tensor::from({count, int64_t(which.size()), 2}, discovered),
          Tensor::from({count, 5, 2}, annotated)};
}

LandmarkScores scores(const std::vector<size_t>& which, double noise) {
  return landmark_scores(split(0, 3000, which, noise), split(3000, 10000, which, noise), {0, 1},
                         {.bias = true});
}

// How well parts of the truth predict the rest, on which goals of landmark systems stand. Expected
// values: an independent simulation of the formulas in the header, 40 times 3000 and 1000 faces.
TEST(SynthFaces, WhatPartsOfTheTruthExplain) {
  const std::vector<size_t> all{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT_NEAR(scores({8, 9}, 0).mean_shape, 30.5, 0.4);
  EXPECT_NEAR(scores({8, 9}, 0).error, 13.4, 0.2);
  EXPECT_NEAR(scores({5, 8, 9}, 0).error, 6.4, 0.1);
  EXPECT_NEAR(scores(all, 0.005).error, 1.9, 0.05);
  EXPECT_NEAR(scores(all, 0.01).error, 3.35, 0.05);
  EXPECT_NEAR(scores(all, 0.02).error, 5.6, 0.1);
  EXPECT_NEAR(scores(all, 0.03).error, 7.4, 0.1);
  EXPECT_LT(scores(all, 0).error, 0.01);  // brows follow the eyes: a ridge is needed

  LandmarkSplit fit = split(0, 3000, {0, 1}, 0), test = split(3000, 10000, {0, 1}, 0);
  double sum = 0;
  for (double length : reference_lengths(test.annotated, {0, 1})) sum += length;
  EXPECT_NEAR(sum / 10000, 0.244, 0.001);
  for (Tensor* t : {&fit.discovered, &test.discovered}) {
    Tensor middle = Tensor::empty({t->dim(0), 1, 2}, DType::f64);
    const double* eyes = t->data<double>();
    for (int64_t i = 0; i < t->dim(0); ++i)
      for (int64_t c : {0, 1})
        middle.data<double>()[2 * i + c] = (eyes[4 * i + c] + eyes[4 * i + 2 + c]) / 2;
    *t = middle;
  }
  EXPECT_NEAR(landmark_scores(fit, test, {0, 1}, {.bias = true}).error, 14.8, 0.25);
}

TEST(SynthFaces, MoreLabelsHelp) {
  const std::vector<size_t> all{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const auto curve = label_efficiency(split(0, 1200, all, 0.01), split(3000, 500, all, 0.01),
                                      {0, 1}, {.bias = true, .ridge = 1e-3});
  ASSERT_EQ(curve.size(), 7u);
  EXPECT_GT(curve[0].mean, 30);  // another face's points
  for (size_t i = 1; i < 4; ++i) EXPECT_LT(curve[i].mean, curve[i - 1].mean);
  EXPECT_GT(curve[0].sd, 10 * curve[4].sd);
  EXPECT_LT(curve[6].mean, 4.5);
}

}  // namespace
}  // namespace cairn
