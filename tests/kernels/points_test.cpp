// Non-maximum suppression and sub-pixel refinement beyond single calls: the two forms of the former
// agree, the latter finds the peaks of blobs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/points/best_peaks.h"
#include "kernels/points/nms_maxpool.h"
#include "runtime/random.h"

namespace cairn {
namespace {

Tensor random_map(const Shape& shape, uint64_t seed) {
  Tensor t = Tensor::empty(shape);
  Random random(seed);
  for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(random.uniform());
  return t;
}

// The places that best_peaks finds in the first map, in order.
std::vector<int32_t> greedy(const Tensor& heat, int radius, double threshold) {
  BestPeaks best = empty_best_peaks(heat, most_peaks(heat.dim(1), heat.dim(2), radius));
  best_peaks(heat, {radius, threshold, 0}, best);
  auto found = best.index.values<int32_t>();
  found.resize(best.count.values<int32_t>()[0]);
  return found;
}

// And those that max pooling leaves, by rising index.
std::vector<int32_t> pooled(const Tensor& heat, int radius, double threshold, int rounds) {
  Tensor y = heat.empty_like();
  nms_maxpool(heat, radius, rounds, threshold, y);
  const auto scores = y.values<float>();
  std::vector<int32_t> found;
  for (int64_t i = 0; i < heat.dim(1) * heat.dim(2); ++i)
    if (scores[i] > 0) found.push_back(int32_t(i));
  return found;
}

std::vector<int32_t> sorted(std::vector<int32_t> v) {
  std::sort(v.begin(), v.end());
  return v;
}

TEST(Nms, GreedyAndMaxPoolUntilNothingChangesKeepTheSameSet) {
  for (Device device : available_devices())
    for (uint64_t seed = 0; seed < 4; ++seed) {
      const Tensor heat = random_map({2, 60, 47}, seed).to(device);
      const int radius = 1 + int(seed);
      EXPECT_EQ(sorted(greedy(heat, radius, 0.1)), pooled(heat, radius, 0.1, 30))
          << device << " radius " << radius;
    }
}

// Beyond 8192 open points the cpu begins without sorting.
TEST(Nms, GreedyAndMaxPoolAgreeOnLargeMapsWithTiesAndRamps) {
  Tensor ties = random_map({1, 200, 301}, 5), ramp = ties.empty_like();
  for (int64_t i = 0; i < ties.count(); ++i) {
    ties.data<float>()[i] = std::floor(4 * ties.data<float>()[i]) / 4;
    ramp.data<float>()[i] = float(i % 301);
  }
  for (const Tensor& heat : {ties, ramp, random_map({1, 200, 301}, 6)})
    EXPECT_EQ(sorted(greedy(heat, 3, 0.1)), pooled(heat, 3, 0.1, 200));
}

// The ramp's chains go through all tiles, and so does what equal scores decide: on a GPU the last
// block finishes them.
TEST(Nms, GreedyGivesTheSameListOnEveryDevice) {
  const Tensor random = random_map({1, 90, 130}, 9), even = Tensor::full({1, 90, 130}, 0.5);
  Tensor ramp = random.empty_like();
  for (int64_t i = 0; i < ramp.count(); ++i) ramp.data<float>()[i] = float(i % 130) / 130;
  for (const Tensor& heat : {random, even, ramp}) {
    const auto want = greedy(heat, 4, 0.015);
    for (Device device : available_devices())
      EXPECT_EQ(greedy(heat.to(device), 4, 0.015), want) << device;
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
    double point[2];
    refine_point(heat.data<double>(), size, size, centre * size + centre, how, point);
    sum += std::abs(point[0] - x);
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
