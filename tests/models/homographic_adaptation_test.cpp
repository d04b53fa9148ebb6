#include "models/superpoint/homographic_adaptation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "layers/functions_warp.h"
#include "layers/point_selection.h"
#include "runtime/error.h"
#include "tests/seen_pixels.h"
#include "training/pseudo_labels.h"

namespace cairn {
namespace {

constexpr int height = 96, width = 128;

std::vector<Matrix3> views(int count) {
  Random random(3);
  return adaptation_views(HomographyRange::homographic_adaptation(), count, height, width, random);
}

Tensor noise(const Shape& shape) {
  Tensor t = Tensor::empty(shape);
  Random random(1);
  for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(random.uniform());
  return t;
}

// The image itself as its heatmap.
Tensor brightness(const Tensor& images) {
  return images.reshape({images.dim(0), images.dim(1), images.dim(2)});
}

TEST(HomographicAdaptation, WithIdentitiesAloneIsThePlainHeatmapToTheBit) {
  for (Device device : available_devices()) {
    const Tensor image = noise({1, height, width, 1}).to(device);
    const Tensor heat = homographic_adaptation(brightness, image, std::vector<Matrix3>(100));
    EXPECT_EQ(heat.values<float>(), image.values<float>()) << device;
  }
}

TEST(HomographicAdaptation, DoesNotDependOnTheBatch) {
  const Tensor image = noise({1, height, width, 1});
  AdaptationOptions one, all;
  one.batch = 1;
  all.batch = 64;
  EXPECT_EQ(homographic_adaptation(brightness, image, views(11), one).values<float>(),
            homographic_adaptation(brightness, image, views(11), all).values<float>());
}

// A detector that is right in every view: blobs stand where the points of the image come to lie.
TEST(HomographicAdaptation, PeaksOfAPerfectDetectorStayWithinHalfAPixel) {
  Tensor image = Tensor::zeros({1, height, width, 1});
  std::vector<Point> truth;
  for (double y = 14; y < height - 10; y += 17.3)
    for (double x = 13; x < width - 10; x += 19.1) truth.push_back({x, y});
  const std::vector<Matrix3> all = views(100);
  size_t next = 0;
  const auto detector = [&](const Tensor& images) {
    Tensor heat = Tensor::zeros({images.dim(0), height, width});
    for (int64_t b = 0; b < images.dim(0); ++b, ++next)
      for (Point p : truth) {
        const Point q = apply(inverse(all[next]), p);
        for (int v = -4; v <= 4; ++v)
          for (int u = -4; u <= 4; ++u) {
            const double x = std::floor(q.x) + u, y = std::floor(q.y) + v;
            if (!(x >= 0 && x < width && y >= 0 && y < height)) continue;
            const double d2 = (x - q.x) * (x - q.x) + (y - q.y) * (y - q.y);
            float& to = heat.data<float>()[(b * height + int64_t(y)) * width + int64_t(x)];
            to = std::max(to, float(std::exp(-d2 / 2)));
          }
      }
    return heat;
  };
  const Tensor heat = homographic_adaptation(detector, image, all);
  PointOptions options;
  options.threshold = 0.3;
  options.refinement = Refinement::soft_argmax;
  const BestPeaks found = select_points(heat.reshape({1, height, width}), options);
  ASSERT_EQ(found.count.values<int32_t>()[0], int32_t(truth.size()));
  const auto xy = found.point.values<float>();
  for (Point p : truth) {
    double nearest = INFINITY;
    for (size_t i = 0; i < truth.size(); ++i)
      nearest = std::min(nearest, std::hypot(xy[2 * i] - p.x, xy[2 * i + 1] - p.y));
    EXPECT_LE(nearest, 0.5) << p.x << "," << p.y;
  }
}

// The formula in plain steps: warps, masks and sums as maps of their own.
TEST(HomographicAdaptation, EqualsItsFormula) {
  const Tensor image = noise({1, height, width, 1});
  const std::vector<Matrix3> all = views(9);
  std::vector<double> sum(height * width), count(height * width);
  for (const Matrix3& view : all) {
    const auto matrix = [](const Matrix3& h) {
      return Tensor::from<float>({1, 3, 3}, {h.m.begin(), h.m.end()});
    };
    const auto mask = [](const Matrix3& h) {
      return eroded(seen_pixels(h, height, width), 3).values<uint8_t>();
    };
    const Matrix3 back = with_unit_corner(inverse(view));
    Tensor heat = warp_image(image, matrix(view), height, width);
    const auto trusted = mask(view), counted = mask(back);
    for (int64_t i = 0; i < heat.count(); ++i) heat.data<float>()[i] *= trusted[size_t(i)];
    const auto brought = warp_image(heat, matrix(back), height, width).values<float>();
    for (size_t i = 0; i < sum.size(); ++i) {
      sum[i] += double(counted[i]) * brought[i];
      count[i] += counted[i];
    }
  }
  AdaptationOptions options;
  options.least_count = 4;
  const auto got = homographic_adaptation(brightness, image, all, options).values<float>();
  int few = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    few += count[i] < 4;
    ASSERT_NEAR(got[i], count[i] < 4 ? 0 : sum[i] / count[i], 1e-5) << i;
  }
  EXPECT_GT(few, 0);
  EXPECT_LT(few, height * width / 2);
}

TEST(HomographicAdaptation, BadArgumentsAreNamed) {
  const Tensor image = noise({1, height, width, 1});
  EXPECT_THROW(homographic_adaptation(brightness, image, {}), Error);
  EXPECT_THROW(homographic_adaptation(brightness, noise({2, 8, 8, 1}), views(1)), Error);
  EXPECT_THROW(homographic_adaptation(brightness, image, {Matrix3{{1, 0, 0, 1, 0, 0, 0, 0, 1}}}),
               Error);
  AdaptationOptions options;
  options.batch = 0;
  EXPECT_THROW(homographic_adaptation(brightness, image, views(1), options), Error);
}

}  // namespace
}  // namespace cairn
