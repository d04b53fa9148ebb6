#include "training/magicpoint_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/seen_pixels.h"
#include "tests/training/cell_labels.h"
#include "training/image_warp.h"

namespace cairn {
namespace {

// u8 [H / cell, W / cell]: 1 where the whole cell is.
Tensor whole_cells(const Tensor& mask, int cell) {
  const int rows = int(mask.dim(0)) / cell, columns = int(mask.dim(1)) / cell;
  Tensor out = Tensor::full({rows, columns}, 1, DType::u8);
  const uint8_t* from = mask.data<uint8_t>();
  uint8_t* to = out.data<uint8_t>();
  for (int y = 0; y < rows * cell; ++y)
    for (int x = 0; x < columns * cell; ++x)
      to[y / cell * columns + x / cell] &= from[int64_t{y} * mask.dim(1) + x];
  return out;
}

TEST(DetectorLabels, EveryOffsetInACellDecodesToItself) {
  for (int offset = 0; offset < 64; ++offset) {
    const Point p{40.0 + offset % 8, 16.0 + offset / 8};
    Random random(1);
    const Tensor labels = cell_labels(std::vector{p}, 48, 64, random);
    for (int row = 0; row < 6; ++row)
      for (int column = 0; column < 8; ++column) {
        const int label = labels.data<int32_t>()[row * 8 + column];
        if (row != 2 || column != 5) {
          ASSERT_EQ(label, no_point);
          continue;
        }
        EXPECT_EQ(labelled_pixel(row, column, label).x, p.x);
        EXPECT_EQ(labelled_pixel(row, column, label).y, p.y);
      }
  }
}

TEST(DetectorLabels, PointsOutsideAreLeftOutAndBordersRoundInwards) {
  Random random(1);
  const std::vector<Point> points{{-0.6, 3}, {64, 3}, {3, NAN}, {-0.4375, 47.4}};
  const Tensor labels = cell_labels(points, 48, 64, random);
  for (int cell = 0; cell < 48; ++cell)
    EXPECT_EQ(labels.data<int32_t>()[cell], cell == 40 ? 56 : no_point) << cell;
}

TEST(DetectorLabels, OneOfSeveralInACellIsPickedEvenlyAndDoublesCountOnce) {
  const std::vector<Point> points{{0, 0}, {0.2, 0}, {7, 0}, {0, 7}};
  int picked[64] = {};
  for (uint64_t i = 0; i < 3000; ++i) {
    Random random(1, i);
    ++picked[cell_labels(points, 8, 8, random).data<int32_t>()[0]];
  }
  for (int label : {0, 7, 56}) EXPECT_NEAR(picked[label], 1000, 110) << label;
}

// A dot of the input is found in the output where the inverse of the sampled matrix says.
TEST(ImageWarp, ADotIsFoundWhereItsPointGoes) {
  int found = 0;
  for (uint64_t i = 0; i < 50; ++i) {
    Random random(3, i);
    const Matrix3 h = random_homography(HomographyRange::magicpoint(), 120, 160, random);
    const Point dot{random.uniform(40, 120), random.uniform(30, 90)};
    Tensor image = Tensor::empty({120, 160, 1});
    for (int y = 0; y < 120; ++y)
      for (int x = 0; x < 160; ++x)
        image.data<float>()[y * 160 + x] =
            std::exp(-float((x - dot.x) * (x - dot.x) + (y - dot.y) * (y - dot.y)) / 8);
    const Point p = apply(inverse(h), dot);
    if (!(p.x > 12 && p.x < 147 && p.y > 12 && p.y < 107)) continue;
    const Tensor output = warped(image, h, 120, 160);
    double x = 0, y = 0, sum = 0;
    for (int v = 0; v < 120; ++v)
      for (int u = 0; u < 160; ++u) {
        // Its brightest part: perspective makes the rest lopsided.
        const double value = std::pow(output.data<float>()[v * 160 + u], 6);
        x += u * value;
        y += v * value;
        sum += value;
      }
    EXPECT_NEAR(x / sum, p.x, 0.15);
    EXPECT_NEAR(y / sum, p.y, 0.15);
    ++found;
  }
  EXPECT_GT(found, 20);
}

TEST(ImageWarp, ALinearRampStaysExactWhereTheInputIsSeen) {
  Tensor ramp = Tensor::empty({40, 60, 1});
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 60; ++x) ramp.data<float>()[y * 60 + x] = float(2 * x + 3 * y);
  const Matrix3 h{{1.1, 0.2, -8, -0.1, 0.9, 3, 0.001, -0.002, 1}};
  const Tensor output = warped(ramp, h, 40, 60);
  const Tensor seen = eroded(seen_pixels(h, 40, 60), 2);
  int compared = 0;
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 60; ++x) {
      if (!seen.data<uint8_t>()[y * 60 + x]) continue;
      const Point p = apply(h, {double(x), double(y)});
      if (p.x < 0 || p.x > 59 || p.y < 0 || p.y > 39) continue;  // interpolates with the outside
      EXPECT_NEAR(output.data<float>()[y * 60 + x], 2 * p.x + 3 * p.y, 1e-3);
      ++compared;
    }
  EXPECT_GT(compared, 1000);
}

TEST(ImageWarp, ErosionUsesTheElementsOfOpenCV) {
  const std::vector<std::vector<std::string>> elements{
      {"0010", "1111", "1111", "1111"},
      {"000100", "011111", "111111", "111111", "111111", "011111"}};
  for (const auto& element : elements) {
    const int margin = int(element.size()) / 2;
    Tensor mask = Tensor::full({21, 21}, 1, DType::u8);
    mask.data<uint8_t>()[10 * 21 + 10] = 0;  // erodes the element, mirrored, around itself
    const Tensor out = eroded(mask, margin);
    for (int y = 0; y < 21; ++y)
      for (int x = 0; x < 21; ++x) {
        const int i = 10 - y + margin, j = 10 - x + margin, side = 2 * margin;
        const bool hit = i >= 0 && i < side && j >= 0 && j < side && element[i][j] == '1';
        EXPECT_EQ(out.data<uint8_t>()[y * 21 + x], !hit) << x << "," << y;
      }
  }
}

TEST(ImageWarp, SeenCellsAreTheWholeOnesOfTheErodedMask) {
  for (uint64_t i = 0; i < 100; ++i) {
    Random random(4, i);
    const Matrix3 h = random_homography(HomographyRange::magicpoint(), 120, 160, random);
    const Tensor mask = eroded(seen_pixels(h, 120, 160), 2);
    EXPECT_EQ(seen_cells(h, 120, 160, 2, 8).values<uint8_t>(),
              whole_cells(mask, 8).values<uint8_t>());
  }
}

void expect_same(const DetectorBatch& a, const DetectorBatch& b) {
  EXPECT_EQ(a.image.values<float>(), b.image.values<float>());
  EXPECT_EQ(a.label.values<int32_t>(), b.label.values<int32_t>());
  EXPECT_EQ(a.valid.values<uint8_t>(), b.valid.values<uint8_t>());
}

DetectorBatch next_of(MagicPointLoader& loader) { return loader.rendered(loader.next()); }

TEST(MagicPointData, ASampleIsTheSameInAnyOrderAndOnAnyNumberOfWorkers) {
  MagicPointData data;
  MagicPointLoader alone(data, 3, 0), two(data, 3, 2), resumed(data, 3, 1, 2);
  for (int number = 0; number < 4; ++number) {
    const DetectorBatch a = next_of(alone), b = next_of(two);
    EXPECT_EQ(a.image.shape(), Shape({3, 120, 160, 1}));
    EXPECT_EQ(a.label.shape(), Shape({3, 15, 20}));
    expect_same(a, b);
    if (number < 2) continue;
    EXPECT_EQ(resumed.next_number(), number);
    expect_same(next_of(resumed), a);
  }
}

std::shared_ptr<ShapeCache> cache_of(const MagicPointData& data, int64_t count, Device device) {
  return std::make_shared<ShapeCache>(data.shapes, data.seed, count, device);
}

// What a cache has seen before, and how many draw for it, makes no difference.
TEST(MagicPointData, ABatchOfACacheDependsOnItsNumberAlone) {
  const MagicPointData data;
  const auto shared = cache_of(data, 5, Device::cpu);
  MagicPointLoader alone(data, 3, 0, 0, shared), two(data, 3, 2, 0, cache_of(data, 5, Device::cpu)),
      resumed(data, 3, 1, 4, cache_of(data, 5, Device::cpu)), again(data, 3, 0, 0, shared);
  for (int number = 0; number < 6; ++number) {
    const DetectorBatch a = next_of(alone);
    expect_same(a, next_of(two));
    expect_same(a, next_of(again));
    if (number >= 4) expect_same(a, next_of(resumed));
  }
}

TEST(MagicPointData, ACacheShowsItsShapesAgainInOtherWays) {
  MagicPointData data;
  MagicPointLoader warped(data, 8, 0, 0, cache_of(data, 2, Device::cpu));
  const DetectorBatch a = next_of(warped), b = next_of(warped);
  EXPECT_NE(a.image.values<float>(), b.image.values<float>());
  data.augment_photometric = data.augment_homographic = false;
  MagicPointLoader plain(data, 8, 0, 0, cache_of(data, 2, Device::cpu));
  const Batch drawn = plain.next();
  const DetectorBatch shown = plain.rendered(drawn);
  std::set<int32_t> sources;
  for (int64_t n = 0; n < 8; ++n) {
    const int32_t source = static_cast<const PhotometricPlan*>(drawn.at("plan").raw())[n].source;
    sources.insert(source);
    const LabelledImage shape = synthetic_shape(data.shapes, data.seed, source);
    for (int64_t i = 0; i < 120 * 160; i += 7)
      ASSERT_NEAR(shown.image.data<float>()[n * 120 * 160 + i] * 255,
                  shape.image.data<uint8_t>()[i], 1e-4);
  }
  EXPECT_EQ(sources, (std::set<int32_t>{0, 1}));
}

// The device path beside the same steps one by one on the host, in their own types.
TEST(MagicPointData, ADeviceRendersWhatTheHostComposes) {
  const MagicPointData data;
  const Batch drawn = draw_magicpoint_batch(data, nullptr, 6, 3).batch;
  for (Device device : available_devices()) {
    Batch there = drawn;
    for (auto& [name, t] : there) t = t.to(device);
    const DetectorBatch batch = rendered(there.at("shapes"), there);
    const Tensor image = batch.image.to(Device::cpu), label = batch.label.to(Device::cpu);
    int64_t labels = 0, differ = 0;
    for (int64_t n = 0; n < 6; ++n) {
      const PhotometricDraw changes{
          static_cast<const PhotometricPlan*>(drawn.at("plan").raw())[n],
          static_cast<const PhotometricAmounts<float>*>(drawn.at("amounts").raw())[n]};
      PhotometricDraw own = changes;
      own.plan.source = 0;
      Matrix3 h;
      std::copy_n(drawn.at("warp").data<float>() + 9 * n, 9, h.m.begin());
      const LabelledImage shape = synthetic_shape(data.shapes, data.seed, 6 * 3 + n);
      const Tensor composed = warped(augmented(shape.image, own), h, 120, 160);
      double worst = 0;
      for (int64_t i = 0; i < composed.count(); ++i)
        worst = std::max(worst, std::abs(double(image.data<float>()[n * composed.count() + i]) -
                                         composed.data<float>()[i]));
      EXPECT_LT(worst, 2e-4) << device << " sample " << n;  // positions in float32
      std::vector<Point> points;
      for (Point p : shape.points) points.push_back(apply(inverse(h), p));
      for (int64_t cell = 0; cell < 300; ++cell) {
        const int32_t found = label.data<int32_t>()[300 * n + cell];
        const Point corner{double(cell % 20 * 8), double(cell / 20 * 8)};
        bool empty = true, is_point = false;
        for (Point p : points) {
          const double x = std::round(p.x) - corner.x, y = std::round(p.y) - corner.y;
          if (!(x >= 0 && x < 8 && y >= 0 && y < 8)) continue;
          empty = false;
          is_point |= found == int32_t(8 * y + x);
        }
        labels += !empty;
        differ += empty ? found != no_point : !is_point;
      }
    }
    EXPECT_GT(labels, 20);
    EXPECT_EQ(differ, 0) << device;
  }
}

TEST(MagicPointData, ImagesAreInRangeLabelsInClassesAndMostCellsValid) {
  const DetectorBatch batch = magicpoint_batch({}, 16, 5);
  for (float v : batch.image.values<float>()) ASSERT_TRUE(v >= 0 && v <= 1);
  for (int32_t v : batch.label.values<int32_t>()) ASSERT_TRUE(v >= 0 && v <= no_point);
  int64_t valid = 0;
  for (uint8_t v : batch.valid.values<uint8_t>()) valid += v;
  EXPECT_GT(double(valid) / double(batch.valid.count()), 0.4);
  EXPECT_LT(double(valid) / double(batch.valid.count()), 1);
}

TEST(MagicPointData, WithoutAugmentationLabelsAreTheShapesAndEveryCellIsValid) {
  MagicPointData data;
  data.augment_photometric = data.augment_homographic = false;
  for (int i = 0; i < 10; ++i) {
    const DetectorBatch sample = magicpoint_batch(data, 1, i);
    const LabelledImage shape = synthetic_shape(data.shapes, data.seed, i);
    EXPECT_NEAR(sample.image.data<float>()[77] * 255, shape.image.data<uint8_t>()[77], 1e-4);
    for (uint8_t v : sample.valid.values<uint8_t>()) ASSERT_EQ(v, 1);
    for (int cell = 0; cell < 300; ++cell) {
      const int label = sample.label.data<int32_t>()[cell];
      if (label == no_point) continue;
      const Point pixel = labelled_pixel(cell / 20, cell % 20, label);
      double nearest = 1e9;
      for (Point p : shape.points)
        nearest = std::min(nearest, std::max(std::abs(p.x - pixel.x), std::abs(p.y - pixel.y)));
      EXPECT_LE(nearest, 0.5);
    }
  }
}

TEST(MagicPointData, TestImagesAreNotThoseOfTraining) {
  MagicPointData data;
  data.augment_photometric = data.augment_homographic = false;
  const DetectorTestImage clean = magicpoint_test_image(data, 0, false);
  const DetectorTestImage noisy = magicpoint_test_image(data, 0, true);
  EXPECT_NE(clean.image.values<float>(), magicpoint_batch(data, 1, 0).image.values<float>());
  EXPECT_NE(clean.image.values<float>(), noisy.image.values<float>());
  EXPECT_EQ(clean.points.size(), noisy.points.size());
}

TEST(Prefetcher, AnErrorReachesTheCallerAtItsItemAndTheNextFollows) {
  Prefetcher<int64_t> items(
      [](int64_t i) {
        if (i == 2) throw Error("item", "broken", "whole", "skip it");
        return 10 * i;
      },
      2, 0);
  EXPECT_EQ(items.next(), 0);
  EXPECT_EQ(items.next(), 10);
  EXPECT_THROW(items.next(), Error);
  EXPECT_EQ(items.next(), 30);
}

}  // namespace
}  // namespace cairn
