// Peaks of noise-free maps are found again within the error that each decoder is known to have.
#include "models/codecs/decoders.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/random.h"

namespace cairn {
namespace {

std::vector<float> gaussian_map(double x, double y, double sigma, int64_t side) {
  std::vector<float> map;
  for (int64_t r = 0; r < side; ++r)
    for (int64_t q = 0; q < side; ++q)
      map.push_back(float(std::exp(-(std::pow(double(q) - x, 2) + std::pow(double(r) - y, 2)) /
                                   (2 * sigma * sigma))));
  return map;
}

struct DecodeError {
  double mean, most;
};

// Over random places at least `margin` cells away from the edges of a map of 64 x 64.
DecodeError decode_error(Decoder decoder, double sigma, double margin) {
  Random random(7);
  DecodeError e{0, 0};
  const int draws = 4000;
  for (int i = 0; i < draws; ++i) {
    const double x = random.uniform(margin, 63 - margin), y = random.uniform(margin, 63 - margin);
    const Peak p = find_peak(gaussian_map(x, y, sigma, 64).data(), 64, 64, decoder, sigma);
    const double error = std::hypot(p.x - x, p.y - y);
    e.mean += error / draws;
    e.most = std::max(e.most, error);
  }
  return e;
}

struct Bound {
  const char* name;
  Decoder decoder;
  double sigma, mean, most;
};

class DecoderTable : public ::testing::TestWithParam<Bound> {};
INSTANTIATE_TEST_SUITE_P(Sigmas, DecoderTable,
                         ::testing::Values(Bound{"argmax1", Decoder::argmax, 1, .386, .703},
                                           Bound{"argmax2", Decoder::argmax, 2, .386, .703},
                                           Bound{"quarter1", Decoder::quarter, 1, .191, .349},
                                           Bound{"quarter2", Decoder::quarter, 2, .191, .349},
                                           Bound{"dark1", Decoder::dark, 1, 0, 0},
                                           Bound{"dark2", Decoder::dark, 2, 0, 0},
                                           Bound{"soft1", Decoder::soft_argmax, 1, .002, .004},
                                           Bound{"soft2", Decoder::soft_argmax, 2, .127, .232}),
                         [](const auto& info) { return info.param.name; });

TEST_P(DecoderTable, HaveTheKnownErrorsInsideTheMap) {
  const Bound b = GetParam();
  const DecodeError e = decode_error(b.decoder, b.sigma, 4);
  EXPECT_NEAR(e.mean, b.mean, 0.006);
  EXPECT_LE(e.most, b.most + 0.006);
}

TEST_P(DecoderTable, StayWithinACellUpToTheEdges) {
  const Bound b = GetParam();
  EXPECT_LE(decode_error(b.decoder, b.sigma, -0.5).most, 0.75);
}

TEST(Decoders, DarkFindsTheCentreOfAPureGaussian) {
  const auto map = gaussian_map(20.37, 31.82, 2, 64);
  const Peak p = find_peak(map.data(), 64, 64, Decoder::dark, 2);
  EXPECT_NEAR(p.x, 20.37, 1e-3);
  EXPECT_NEAR(p.y, 31.82, 1e-3);
}

TEST(Decoders, DarkLosesAFortiethOfACellWhereItsBlurLosesReach) {
  for (const double sigma : {1.0, 1.5, 2.0})
    EXPECT_LE(decode_error(Decoder::dark, sigma, 2.5).most, 0.025) << sigma;
}

TEST(Decoders, AFlatMapGivesItsFirstCell) {
  const std::vector<float> map(30, 0.0f);
  for (Decoder d : {Decoder::dark, Decoder::quarter, Decoder::argmax, Decoder::soft_argmax}) {
    const Peak p = find_peak(map.data(), 5, 6, d, 1.5);
    EXPECT_EQ(p.x, 0);
    EXPECT_EQ(p.y, 0);
    EXPECT_EQ(p.value, 0);
  }
}

TEST(Decoders, DarkFallsBackToAQuarterWhereTheMapIsNoPeak) {
  // Blurred, the rows above and below outweigh the largest cell.
  const float rows[9] = {.99f, .99f, .99f, .1f, 1, .1f, .99f, .99f, .99f};
  std::vector<float> map;
  for (float row : rows)
    for (int q = 0; q < 9; ++q) map.push_back(row * float(std::exp(-0.5 * std::pow(q - 4.2, 2))));
  const Peak p = find_peak(map.data(), 9, 9, Decoder::dark, 1);
  EXPECT_EQ(p.x, 4.25);
  EXPECT_EQ(p.y, 4);
}

}  // namespace
}  // namespace cairn
