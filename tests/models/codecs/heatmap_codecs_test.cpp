// What is special to one codec: known losses, golden values, several instances, votes.
#include <gtest/gtest.h>

#include <cmath>

#include "layers/functions_heatmap.h"
#include "layers/functions_loss.h"
#include "models/codecs/codec.h"
#include "runtime/random.h"

namespace cairn {
namespace {

std::unique_ptr<Codec> codec_of(const Options& options) {
  OptionReader read("codec", options);
  return make_codec(read);
}

Tensor visible(const Shape& shape) { return Tensor::full(shape, 2, DType::u8); }

// pi sigma^2 / (H W): the area under the square of a Gaussian.
TEST(HeatmapCodec, AnAllZeroPredictionHasTheLossKnownInClosedForm) {
  for (const auto& [codec, sigma, side, loss] : {std::tuple{"heatmap", "1", 256, 7.67e-4},
                                                 {"heatmap", "1.5", 256, 1.73e-3},
                                                 {"signed", "1.5", 256, 1.73e-3},
                                                 {"heatmap", "1", 128, 3.07e-3}}) {
    const auto c = codec_of({{"codec", codec}, {"sigma", sigma}});
    const Tensor points = Tensor::from<float>({1, 1, 2, 2}, {100.3f, 60.7f, 61, 64});
    const Batch targets = c->encode(points, visible({1, 1, 2}), {side, side});
    const Tensor& maps = targets.at("heatmaps");
    EXPECT_NEAR(c->zero_loss(Tensor::zeros(maps.shape()), targets).item(), loss, 0.005 * loss);
    EXPECT_NEAR(M_PI * std::pow(std::stod(sigma), 2) / double(maps.dim(1) * maps.dim(2)), loss,
                0.005 * loss);
  }
}

// Two instances three cells apart: both peaks stay with max, mean halves them.
TEST(HeatmapCodec, OverlappingInstancesAreCombinedByMaxOrByMean) {
  const Tensor points = Tensor::from<float>({1, 2, 1, 2}, {25.5f, 33.5f, 37.5f, 33.5f});
  const auto at = [&](const char* overlap, int64_t cell) {
    const auto codec = codec_of({{"overlap", overlap}, {"sigma", "1"}});
    const Batch targets = codec->encode(points, visible({1, 2, 1}), {64, 64});
    return targets.at("heatmaps").values<float>()[size_t(8 * 16 + cell)];
  };
  EXPECT_FLOAT_EQ(at("max", 6), 1);
  EXPECT_FLOAT_EQ(at("max", 9), 1);
  EXPECT_NEAR(at("mean", 6), (1 + std::exp(-4.5)) / 2, 1e-6);
  EXPECT_NEAR(at("mean", 3), std::exp(-4.5), 1e-6) << "the other one is too far away to count";
}

TEST(SignedCodec, WhereSignsMeetTheLargerMagnitudeWins) {
  const auto codec = codec_of({{"codec", "signed"}});
  const Tensor points = Tensor::from<float>({1, 2, 1, 2}, {25.5f, 33.5f, 37.5f, 33.5f});
  const Tensor visibility = Tensor::from<uint8_t>({1, 2, 1}, {1, 2});
  const auto maps = codec->encode(points, visibility, {64, 64}).at("heatmaps").values<float>();
  EXPECT_FLOAT_EQ(maps[8 * 16 + 6], -1);
  EXPECT_LT(maps[8 * 16 + 7], 0);
  EXPECT_GT(maps[8 * 16 + 8], 0);
  EXPECT_FLOAT_EQ(maps[8 * 16 + 9], 1);
}

TEST(SignedCodec, AFlatMapIsNotCalledVisible) {
  const auto codec = codec_of({{"codec", "signed"}});
  EXPECT_EQ(codec->decode(Tensor::full({1, 16, 16, 1}, 0.01), {64, 64})[0].visible.at(0), 0);
}

Tensor golden_logits() {
  Tensor z = Tensor::zeros({1, 5, 5, 1}, DType::f64);
  z.data<double>()[1 * 5 + 3] = 4;
  z.data<double>()[2 * 5 + 3] = 3;
  return z;
}

TEST(SoftArgmaxCodec, ExpectationAndItsGradientAreTheGoldenOnes) {
  Tape tape;
  const Var z = tape.leaf(golden_logits());
  const Var mean = soft_argmax(z).point;  // 0..1; the golden values are in -1..1
  const auto unit = mean.value().values<double>();
  EXPECT_NEAR(2 * unit[0] - 1, .2976287617, 1e-8);
  EXPECT_NEAR(2 * unit[1] - 1, -.2194763597, 1e-8);
  tape.backward(mean, Tensor::from<double>({1, 1, 2}, {2, 0}));
  EXPECT_NEAR(z.grad().values<double>()[1 * 5 + 3], .0572181539, 1e-8);
}

// The Gaussian about (.4, -.2) of one pixel's width: pixel (3, 1.5) of 5 x 5.
TEST(SoftArgmaxCodec, DivergenceAndItsGradientAreTheGoldenOnes) {
  Tensor q = Tensor::empty({1, 5, 5, 1}, DType::f64);
  double sum = 0;
  for (int i = 0; i < 25; ++i) {
    q.data<double>()[i] = std::exp(-(std::pow(i % 5 - 3, 2) + std::pow(i / 5 - 1.5, 2)) / 2);
    sum += q.data<double>()[i];
  }
  for (int i = 0; i < 25; ++i) q.data<double>()[i] /= sum;
  Tape tape;
  const Var z = tape.leaf(golden_logits());
  const Var js = js_divergence(spatial_softmax(z), tape.constant(q));
  EXPECT_NEAR(25 * js.value().item(), .1874320862, 1e-8);
  tape.backward(js, 25);
  EXPECT_NEAR(z.grad().values<double>()[1 * 5 + 3], .0706235709, 1e-8);
  EXPECT_NEAR(z.grad().values<double>()[0], .0022240373, 1e-8);

  const auto codec = codec_of({{"codec", "soft_argmax"}});
  const Tensor point = Tensor::from<float>({1, 1, 1, 2}, {13.5f, 7.5f});
  const auto target =
      codec->encode(point, visible({1, 1, 1}), {20, 20}).at("distributions").values<float>();
  for (size_t i = 0; i < 25; ++i) EXPECT_NEAR(target[i], q.values<double>()[i], 1e-6);
}

TEST(SoftArgmaxCodec, APointOutsideOfTheImageCountsForNothing) {
  const auto codec = codec_of({{"codec", "soft_argmax"}});
  const Tensor points = Tensor::from<float>({1, 1, 3, 2}, {-3, 20, 20, 20, 1e6f, -1e20f});
  const Batch targets = codec->encode(points, visible({1, 1, 3}), {64, 64});
  EXPECT_EQ(targets.at("weights").values<float>(), (std::vector<float>{0, 1, 0}));
  const auto maps = targets.at("distributions").values<float>();
  double sums[3] = {};
  for (size_t i = 0; i < maps.size(); ++i) sums[i % 3] += double(maps[i]);
  EXPECT_EQ(sums[0], 0);
  EXPECT_NEAR(sums[1], 1, 1e-5);
  EXPECT_EQ(sums[2], 0);
}

// Votes with an error of one cell's standard deviation each still meet at the point.
TEST(OffsetsCodec, NoiseOnEveryOffsetAveragesOut) {
  const auto codec = codec_of({{"codec", "offsets"}, {"radius", "25"}});
  Random random(5);
  double mean = 0, most = 0;
  const int draws = 40;
  for (int draw = 0; draw < draws; ++draw) {
    const Tensor point = Tensor::from<float>(
        {1, 1, 1, 2}, {float(random.uniform(180, 220)), float(random.uniform(180, 220))});
    const Batch t = codec->encode(point, visible({1, 1, 1}), {400, 400});
    Tensor output = Tensor::empty({1, 100, 100, 3});
    for (int64_t i = 0; i < 100 * 100; ++i) {
      output.data<float>()[3 * i] = t.at("disks").data<float>()[i] > 0 ? 20.f : -20.f;
      for (int axis : {1, 2})
        output.data<float>()[3 * i + axis] =
            t.at("offsets").data<float>()[2 * i + axis - 1] + float(random.normal());
    }
    const auto found = codec->decode(output, {400, 400})[0].points[0];
    const float* p = point.data<float>();
    const double error = std::hypot(found[0] - p[0], found[1] - p[1]) / Codec::stride;
    mean += error / draws;
    most = std::max(most, error);
  }
  EXPECT_LE(mean, .03);
  EXPECT_LE(most, .07);
}

TEST(OffsetsCodec, DisksOfOtherInstancesAreLeftOut) {
  const auto codec = codec_of({{"codec", "offsets"}, {"radius", "1"}});
  const Tensor points = Tensor::from<float>({1, 2, 1, 2}, {25.5f, 33.5f, 49.5f, 33.5f});
  const Batch t = codec->encode(points, visible({1, 2, 1}), {64, 64});
  const auto disks = t.at("disks").values<float>(), weights = t.at("disk_weights").values<float>();
  EXPECT_EQ(disks[8 * 16 + 6], 1);
  EXPECT_EQ(disks[8 * 16 + 12], 0);
  EXPECT_EQ(weights[8 * 16 + 6], 1);
  EXPECT_EQ(weights[8 * 16 + 12], 0);
  EXPECT_EQ(weights[8 * 16 + 9], 1);
}

}  // namespace
}  // namespace cairn
