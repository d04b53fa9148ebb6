#include "kernels/vector_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cairn {
namespace {

// The distance of `got` from `want` in units of the last place of the float nearest to `want`.
double ulps(float got, double want) {
  const float nearest = float(want);
  const double unit =
      double(std::nextafter(nearest, std::numeric_limits<float>::infinity())) - double(nearest);
  return std::abs(double(got) - want) / unit;
}

TEST(VectorMath, ExpIsWithinOneAndAHalfUnitsInTheLastPlaceOverItsWholeRange) {
  double worst = 0;
  for (int i = 0; i <= 4000000; ++i) {
    const float x = float(-103 + i * (191.7 / 4000000));
    worst = std::max(worst, ulps(exp_vec(x), std::exp(double(x))));
  }
  RecordProperty("worst_ulps", std::to_string(worst));
  EXPECT_LT(worst, 1.5);
}

TEST(VectorMath, ExpGoesToZeroInfinityAndNanWhereItShould) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(exp_vec(0.f), 1.f);
  EXPECT_EQ(exp_vec(-1e30f), 0.f);
  EXPECT_EQ(exp_vec(-infinity), 0.f);
  EXPECT_EQ(exp_vec(89.f), infinity);
  EXPECT_EQ(exp_vec(infinity), infinity);
  EXPECT_TRUE(std::isnan(exp_vec(std::numeric_limits<float>::quiet_NaN())));
}

TEST(VectorMath, LogIsWithinOneAndAHalfUnitsInTheLastPlaceOverItsWholeRange) {
  double worst = 0;
  for (int i = 0; i <= 4000000; ++i) {
    const float wide = float(std::exp2(-126 + i * (253.9 / 4000000)));
    const float near_one = 1 + float(i - 2000000) * 0x1p-23f;
    for (float x : {wide, near_one}) worst = std::max(worst, ulps(log_vec(x), std::log(double(x))));
  }
  RecordProperty("worst_ulps", std::to_string(worst));
  EXPECT_LT(worst, 1.5);
}

TEST(VectorMath, LogOfZeroIsFiniteAndInfinityAndNanStay) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(log_vec(1.f), 0.f);
  EXPECT_FLOAT_EQ(log_vec(0.f), -87.336544f);
  EXPECT_EQ(log_vec(-1.f), log_vec(0.f));
  EXPECT_EQ(log_vec(infinity), infinity);
  EXPECT_TRUE(std::isnan(log_vec(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_TRUE(std::isfinite(log_vec(0.0)));
}

}  // namespace
}  // namespace cairn
