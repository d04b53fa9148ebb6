// Non-maximum suppression and sub-pixel refinement beyond single calls: the two forms of the former
// agree, the latter finds the peaks of blobs.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/points/nms_greedy.h"
#include "kernels/points/nms_maxpool.h"
#include "kernels/points/refine.h"
#include "runtime/random.h"

namespace cairn {
namespace {

Tensor random_map(const Shape& shape, uint64_t seed) {
  Tensor t = Tensor::empty(shape);
  Random random(seed);
  for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(random.uniform());
  return t;
}

TEST(Nms, GreedyAndMaxPoolUntilNothingChangesKeepTheSameSet) {
  for (Device device : available_devices())
    for (uint64_t seed = 0; seed < 4; ++seed) {
      const Tensor heat = random_map({2, 60, 47}, seed).to(device);
      Tensor greedy = heat.empty_like(), pooled = heat.empty_like();
      const int radius = 1 + int(seed);
      nms_greedy(heat, radius, 0.1, greedy);
      nms_maxpool(heat, radius, 30, 0.1, pooled);
      EXPECT_EQ(greedy.values<float>(), pooled.values<float>()) << device << " radius " << radius;
    }
}

// Beyond 8192 open points the cpu begins without sorting.
TEST(Nms, GreedyAndMaxPoolAgreeOnLargeMapsWithTiesAndRamps) {
  Tensor ties = random_map({1, 200, 301}, 5), ramp = ties.empty_like();
  for (int64_t i = 0; i < ties.count(); ++i) {
    ties.data<float>()[i] = std::floor(4 * ties.data<float>()[i]) / 4;
    ramp.data<float>()[i] = float(i % 301);
  }
  for (const Tensor& heat : {ties, ramp, random_map({1, 200, 301}, 6)}) {
    Tensor greedy = heat.empty_like(), pooled = heat.empty_like();
    nms_greedy(heat, 3, 0.1, greedy);
    nms_maxpool(heat, 3, 200, 0.1, pooled);
    EXPECT_EQ(greedy.values<float>(), pooled.values<float>());
  }
}

TEST(Nms, GreedyKeepsTheSameSetOnEveryDevice) {
  const Tensor heat = random_map({1, 90, 130}, 9);
  Tensor want = heat.empty_like();
  nms_greedy(heat, 4, 0.015, want);
  for (Device device : available_devices()) {
    Tensor got = heat.to(device).empty_like();
    nms_greedy(heat.to(device), 4, 0.015, got);
    EXPECT_EQ(got.values<float>(), want.values<float>()) << device;
  }
}

// The mean error in x over 8 x 8 sub-pixel positions of a Gaussian blob.
double mean_error(double sigma, Refinement how) {
  const int size = 15, centre = 7;
  double sum = 0;
  for (int phase = 0; phase < 64; ++phase) {
    const double x = centre + (phase % 8 + 0.5) / 8 - 0.5, y = centre + (phase / 8 + 0.5) / 8 - 0.5;
    Tensor heat = Tensor::empty({1, size, size}, DType::f64);
    for (int i = 0; i < size * size; ++i) {
      const double dx = i % size - x, dy = i / size - y;
      heat.data<double>()[i] = std::exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
    }
    const Tensor index = Tensor::from<int32_t>({1, 1}, {centre * size + centre});
    Tensor points = heat.empty_like({1, 1, 2});
    refine(heat, index, how, points);
    sum += std::abs(points.data<double>()[0] - x);
  }
  return sum / 64;
}

TEST(Refine, TheQuadraticFindsTheTopOfAGaussianExactly) {
  for (double sigma : {0.8, 1.0, 1.5}) EXPECT_LT(mean_error(sigma, Refinement::quadratic), 1e-12);
}

TEST(Refine, SoftArgmaxIsBiasedByItsWindowAsItShouldBe) {
  EXPECT_NEAR(mean_error(0.8, Refinement::soft_argmax), 0.0038, 1e-4);
  EXPECT_NEAR(mean_error(1.5, Refinement::soft_argmax), 0.0921, 1e-4);
}

}  // namespace
}  // namespace cairn
