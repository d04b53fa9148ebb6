#include "geometry/magsac.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

namespace cairn {
namespace {

const MagsacNoise noise(1);

TEST(Magsac, WeightsAreThoseOfThePaper) {
  for (const auto [r, w] : {std::pair{0.01, 0.624071},
                            {0.5, 0.604733},
                            {1.0, 0.499524},
                            {2.0, 0.161262},
                            {3.0, 0.0157693},
                            {3.65, 0.0}})
    EXPECT_NEAR(noise.weight(r * r), w, 1e-6) << r;
}

TEST(Magsac, LossesAreThoseOfThePaper) {
  for (const auto [r, share] :
       {std::pair{0.0, 0.0}, {0.5, 0.083709}, {1.0, 0.309692}, {2.0, 0.810849}, {3.0, 0.987308}})
    EXPECT_NEAR(noise.loss(r * r) / noise.loss_limit(), share, 1e-6) << r;
  EXPECT_NEAR(noise.loss_limit(), 0.920106, 1e-6);
  EXPECT_DOUBLE_EQ(noise.loss(100), noise.loss_limit());
  EXPECT_DOUBLE_EQ(noise.quality(0), 1);
}

TEST(Magsac, TheSlopeOfTheLossIsTheResidualTimesItsWeight) {
  const MagsacNoise other(2);
  for (double r = 0.1; r < 8; r += 0.3) {
    const double d = 1e-5, slope = (other.loss((r + d) * (r + d)) - other.loss((r - d) * (r - d)));
    EXPECT_NEAR(slope / (2 * d), r * other.weight(r * r), 1e-6) << r;
  }
}

}  // namespace
}  // namespace cairn
