#include "training/homographic_pairs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "runtime/error.h"
#include "tests/training/cell_labels.h"
#include "training/grey_image.h"

namespace cairn {
namespace {

Matrix3 homography_of(const PairBatch& batch, int64_t pair) {
  Matrix3 h;
  const float* m = batch.homography.data<float>() + 9 * pair;
  std::copy(m, m + 9, h.m.begin());
  return h;
}

PairImages sequence_of(const ImageLevels& from) {
  size_t most = 1;
  for (const LabelledImage& level : from.levels) most = std::max(most, level.points.size());
  const Tensor& first = from.levels[0].image;
  return {first.dim(0), first.dim(1), int64_t(most), [from](int64_t) { return from; }};
}

// The pair of one image (N = 1).
PairBatch homographic_pair(const ImageLevels& from, const HomographicPairs& options, uint64_t seed,
                           int64_t index) {
  return rendered_pairs(draw_pair_batch(sequence_of(from), options, seed, 1, index, nullptr),
                        nullptr);
}

HomographicPairs without_photometric() {
  HomographicPairs options;
  options.augment_photometric = false;
  return options;
}

// A black image with one bright dot, and the dot as its point.
LabelledImage dot_image(int height, int width, Point dot) {
  LabelledImage image{Tensor::empty({height, width, 1}, DType::u8), {dot}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const double d2 = (x - dot.x) * (x - dot.x) + (y - dot.y) * (y - dot.y);
      image.image.data<uint8_t>()[y * width + x] = uint8_t(std::lround(255 * std::exp(-d2 / 8)));
    }
  return image;
}

// The centre of the brightest part: perspective makes the rest lopsided.
Point brightest(const Tensor& images, int64_t row) {
  const int64_t height = images.dim(1), width = images.dim(2);
  const float* v = images.data<float>() + row * height * width;
  double x = 0, y = 0, sum = 0;
  for (int64_t i = 0; i < height * width; ++i) {
    const double value = std::pow(v[i], 6);
    x += double(i % width) * value;
    y += double(i / width) * value;
    sum += value;
  }
  return {x / sum, y / sum};
}

// The points that a row's labels decode to.
std::vector<Point> labelled_points(const PairBatch& batch, int64_t row) {
  std::vector<Point> points;
  const int64_t rows = batch.label.dim(1), columns = batch.label.dim(2);
  for (int64_t cell = 0; cell < rows * columns; ++cell)
    if (const int label = batch.label.data<int32_t>()[row * rows * columns + cell];
        label != no_point)
      points.push_back(labelled_pixel(int(cell / columns), int(cell % columns), label));
  return points;
}

TEST(HomographicPair, TheHomographySendsADotOfTheImageToTheDotOfItsPartner) {
  int compared = 0;
  for (int64_t i = 0; i < 40; ++i) {
    Random random(5, uint64_t(i));
    const Point dot{random.uniform(40, 120), random.uniform(30, 90)};
    const PairBatch pair =
        homographic_pair({{dot_image(120, 160, dot)}}, without_photometric(), 3, i);
    const Point expected = apply(homography_of(pair, 0), dot);
    EXPECT_NEAR(brightest(pair.image, 0).x, dot.x, 0.05);
    if (!(expected.x > 12 && expected.x < 147 && expected.y > 12 && expected.y < 107)) continue;
    const Point found = brightest(pair.image, 1);
    EXPECT_NEAR(found.x, expected.x, 0.2) << "pair " << i;
    EXPECT_NEAR(found.y, expected.y, 0.2) << "pair " << i;

    const std::vector<Point> label = labelled_points(pair, 1);
    ASSERT_EQ(label.size(), 1u);
    EXPECT_NEAR(label[0].x, expected.x, 0.5 + 1e-3);
    EXPECT_NEAR(label[0].y, expected.y, 0.5 + 1e-3);
    ++compared;
  }
  EXPECT_GT(compared, 20);
}

TEST(HomographicPair, LabelsOfTheImageAreItsOwnPointsAndAllOfItsCellsAreValid) {
  LabelledImage image = dot_image(48, 64, {20, 30});
  image.points = {{3, 5}, {20.4, 29.6}, {63.4, 47.4}, {64.2, 5}};
  const PairBatch pair = homographic_pair({{image}}, without_photometric(), 1, 0);
  const std::vector<Point> found = labelled_points(pair, 0);
  ASSERT_EQ(found.size(), 3u);  // one lies outside
  EXPECT_EQ(found[0].x, 3);
  EXPECT_EQ(found[1].x, 20);
  EXPECT_EQ(found[1].y, 30);
  EXPECT_EQ(found[2].x, 63);
  for (int64_t cell = 0; cell < 48; ++cell) EXPECT_EQ(pair.valid.data<uint8_t>()[cell], 1);
}

TEST(HomographicPair, ValidCellsOfThePartnerShowTheImageAndLieAwayFromItsEnd) {
  const double margin = HomographyRange::homographic_pair().erosion_margin;
  LabelledImage white{Tensor::full({120, 160, 1}, 255, DType::u8), {}};
  int64_t valid = 0, cells = 0;
  for (int64_t i = 0; i < 20; ++i) {
    const PairBatch pair = homographic_pair({{white}}, without_photometric(), 7, i);
    const Matrix3 to_image = inverse(homography_of(pair, 0));
    for (int64_t cell = 0; cell < 300; ++cell, ++cells) {
      if (!pair.valid.data<uint8_t>()[300 + cell]) continue;
      ++valid;
      for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 8; ++x) {
          const Point p{double(cell % 20 * 8 + x), double(cell / 20 * 8 + y)};
          for (const Point step : {Point{0, 0}, Point{margin - 1, 0}, Point{0, 1 - margin}}) {
            const Point neighbour = p + step;
            if (neighbour.x > 159 || neighbour.y < 0) continue;
            const Point q = apply(to_image, neighbour);
            ASSERT_TRUE(q.x >= -0.51 && q.x <= 159.51 && q.y >= -0.51 && q.y <= 119.51);
          }
        }
    }
  }
  EXPECT_GT(double(valid) / double(cells), 0.3);
  EXPECT_LT(double(valid) / double(cells), 0.95);
}

TEST(HomographicPair, TheTwoImagesAreChangedPhotometricallyInWaysOfTheirOwn) {
  HomographicPairs options;
  options.homography.scale = options.homography.perspective = options.homography.max_angle = 0;
  options.homography.patch_ratio = 1;  // nothing is left to vary: the identity
  const LabelledImage image = synthetic_shape({240, 320}, Primitive::cube, 1, 0);
  const PairBatch pair = homographic_pair({{image}}, options, 2, 9);
  EXPECT_EQ(pair.label.rows(0, 1).values<int32_t>(), pair.label.rows(1, 2).values<int32_t>());
  EXPECT_NE(pair.image.rows(0, 1).values<float>(), pair.image.rows(1, 2).values<float>());
  for (float v : pair.image.values<float>()) ASSERT_TRUE(v >= 0 && v <= 1);
}

// The dot of the whole image at twice and four times its size.
ImageLevels dot_levels(Point dot) {
  ImageLevels levels;
  for (int magnified : {1, 2, 4}) {
    const Point there = apply(resizing(magnified, magnified), dot);
    levels.levels.push_back(dot_image(120 * magnified, 160 * magnified, there));
  }
  return levels;
}

TEST(HomographicPair, OfSeveralLevelsBothSidesAreWindowsAndTheDotsStillCorrespond) {
  const auto far_inside = [](Point p) { return p.x > 12 && p.x < 147 && p.y > 12 && p.y < 107; };
  int compared = 0;
  for (int64_t i = 0; i < 200; ++i) {
    Random random(6, uint64_t(i));
    const ImageLevels levels = dot_levels({random.uniform(20, 140), random.uniform(20, 100)});
    const PairBatch pair = homographic_pair(levels, without_photometric(), 3, i);
    const std::vector<Point> label = labelled_points(pair, 0), moved = labelled_points(pair, 1);
    if (label.size() != 1 || moved.size() != 1 || !far_inside(label[0]) || !far_inside(moved[0]))
      continue;
    const Point dot = brightest(pair.image, 0), expected = apply(homography_of(pair, 0), dot);
    EXPECT_NEAR(label[0].x, dot.x, 0.7) << "pair " << i;
    EXPECT_NEAR(label[0].y, dot.y, 0.7) << "pair " << i;
    EXPECT_NEAR(brightest(pair.image, 1).x, expected.x, 0.3) << "pair " << i;
    EXPECT_NEAR(brightest(pair.image, 1).y, expected.y, 0.3) << "pair " << i;
    EXPECT_NEAR(moved[0].x, expected.x, 0.7) << "pair " << i;
    EXPECT_NEAR(moved[0].y, expected.y, 0.7) << "pair " << i;
    ++compared;
  }
  EXPECT_GT(compared, 20);
}

TEST(HomographicPair, EachSideIsDrawnFromTheLevelNearestToItsScale) {
  HomographicPairs options = without_photometric();
  options.homography.scale = options.homography.perspective = options.homography.max_angle = 0;
  options.homography.patch_ratio = 1;  // nothing but the windows is left to vary
  ImageLevels levels;                  // level k is of the value 50 k
  for (int k : {0, 1, 2})
    levels.levels.push_back({Tensor::full({48 << k, 64 << k, 1}, 50 * k, DType::u8), {}});
  std::array<int, 3> seen{};
  double largest_zoom = 0;
  for (int64_t i = 0; i < 300; ++i) {
    const PairBatch pair = homographic_pair(levels, options, 5, i);
    std::array<int, 2> level;
    for (int64_t side : {0, 1}) {
      const float value = 255 * pair.image.data<float>()[side * 48 * 64 + 24 * 64 + 32];
      level[size_t(side)] = int(std::lround(value / 50));
      EXPECT_NEAR(value, 50 * level[size_t(side)], 1e-3);
      ++seen[size_t(level[size_t(side)])];
    }
    const Matrix3 to_partner = homography_of(pair, 0);
    const double zoom = std::log2(to_partner(0, 0) / to_partner(2, 2));
    EXPECT_LE(std::abs(zoom - (level[1] - level[0])), 1) << "pair " << i;
    largest_zoom = std::max(largest_zoom, std::abs(zoom));
    for (int64_t cell = 0; cell < 2 * 6 * 8; ++cell)
      EXPECT_EQ(pair.valid.data<uint8_t>()[cell], 1);  // windows lie inside
    for (const Point corner : {Point{0, 0}, Point{63, 47}}) {
      // Of two windows, the smaller one lies in the larger one.
      const Point p = apply(zoom < 0 ? to_partner : inverse(to_partner), corner);
      EXPECT_TRUE(p.x > -0.51 && p.x < 63.51 && p.y > -0.51 && p.y < 47.51) << "pair " << i;
    }
  }
  for (int count : seen) EXPECT_GT(count, 100);  // the middle one half of the time
  EXPECT_GT(largest_zoom, 1.5);
  EXPECT_LE(largest_zoom, 2);
}

TEST(PairBatch, IsThePairsOfItsImagesInOrderWhateverTheBatchSize) {
  const SyntheticShapes shapes;
  const PairImages images{120, 160, most_shape_points,
                          [&](int64_t i) { return ImageLevels{{synthetic_shape(shapes, 4, i)}}; }};
  const PairBatch batch = rendered_pairs(draw_pair_batch(images, {}, 11, 3, 2, nullptr), nullptr);
  EXPECT_EQ(batch.image.shape(), Shape({6, 120, 160, 1}));
  EXPECT_EQ(batch.label.shape(), Shape({6, 15, 20}));
  EXPECT_EQ(batch.valid.shape(), Shape({6, 15, 20}));
  EXPECT_EQ(batch.homography.shape(), Shape({3, 9}));
  for (int64_t i = 0; i < 3; ++i) {
    const PairBatch pair = homographic_pair(images.at(6 + i), {}, 11, 6 + i);
    for (int64_t side = 0; side < 2; ++side) {
      const int64_t row = 3 * side + i;
      EXPECT_EQ(batch.image.rows(row, row + 1).values<float>(),
                pair.image.rows(side, side + 1).values<float>());
      EXPECT_EQ(batch.label.rows(row, row + 1).values<int32_t>(),
                pair.label.rows(side, side + 1).values<int32_t>());
      EXPECT_EQ(batch.valid.rows(row, row + 1).values<uint8_t>(),
                pair.valid.rows(side, side + 1).values<uint8_t>());
    }
    EXPECT_EQ(batch.homography.rows(i, i + 1).values<float>(), pair.homography.values<float>());
  }
}

// Photographs of two levels that a device keeps, and shapes that come with their batch.
TEST(PairBatch, ADeviceThatKeepsThePhotographsMakesTheSamePairs) {
  ImageLevels photos[2];
  std::vector<Tensor> kept;
  for (int n : {0, 1})
    for (int magnified : {1, 2}) {
      LabelledImage image =
          synthetic_shape({120 * magnified, 160 * magnified}, Primitive::cube, 7, n);
      kept.push_back(image.image);
      photos[n].levels.push_back(std::move(image));
      photos[n].kept = 2 * n;
    }
  const PairImages images{120, 160, most_shape_points, [&](int64_t i) {
                            return i % 3 == 2 ? ImageLevels{{synthetic_shape({}, 4, i)}}
                                              : photos[i % 3];
                          }};
  const PairBatch want =
      rendered_pairs(draw_pair_batch(images, without_photometric(), 5, 6, 1, nullptr), nullptr);
  for (Device device : available_devices()) {
    ImageCache cache(kept, 1, device, {6, 120, 160, 1});
    Batch drawn = draw_pair_batch(images, without_photometric(), 5, 6, 1, &cache);
    EXPECT_FALSE(drawn.contains("crop"));
    for (auto& [name, t] : drawn) t = t.to(device);
    const PairBatch found = rendered_pairs(drawn, &cache);
    EXPECT_EQ(found.label.values<int32_t>(), want.label.values<int32_t>()) << device;
    EXPECT_EQ(found.valid.values<uint8_t>(), want.valid.values<uint8_t>()) << device;
    EXPECT_EQ(found.homography.values<float>(), want.homography.values<float>()) << device;
    const std::vector<float> a = found.image.values<float>(), b = want.image.values<float>();
    ASSERT_EQ(a.size(), b.size());
    // Positions are in float32: a byte may be rounded otherwise.
    for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1.1 / 255) << device << i;
  }
}

TEST(PairBatch, SidesThatAreNoMultipleOf8AreRefused) {
  EXPECT_THROW(homographic_pair({{dot_image(48, 60, {5, 5})}}, {}, 1, 0), Error);
}

TEST(GreyImage, ChannelsRepeatTheGreyValue) {
  const Tensor grey = Tensor::from<float>({1, 1, 2, 1}, {0.25f, 0.75f});
  EXPECT_EQ(with_channels(grey, 3).values<float>(),
            (std::vector<float>{0.25f, 0.25f, 0.25f, 0.75f, 0.75f, 0.75f}));
  EXPECT_EQ(with_channels(grey_bytes(grey).reshape({1, 2, 1}), 3).shape(), Shape({1, 2, 3}));
  EXPECT_EQ(grey_bytes(grey).values<uint8_t>(), (std::vector<uint8_t>{64, 191}));
}

}  // namespace
}  // namespace cairn
