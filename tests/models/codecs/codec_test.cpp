// What every codec keeps: points survive encoding and decoding, missing ones count for nothing, and
// mirror images come back.
#include "models/codecs/codec.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/caught.h"

namespace cairn {
namespace {

std::unique_ptr<Codec> codec_of(const Options& options) {
  OptionReader read("codec", options);
  std::unique_ptr<Codec> codec = make_codec(read);
  read.finish();
  return codec;
}

// One instance of points in an input, all visible.
struct Labels {
  Tensor points, visibility;
  explicit Labels(const std::vector<std::array<float, 2>>& p)
      : points(Tensor::empty({1, 1, int64_t(p.size()), 2})),
        visibility(Tensor::full({1, 1, int64_t(p.size())}, 2, DType::u8)) {
    for (size_t k = 0; k < p.size(); ++k)
      for (size_t axis : {0, 1}) points.data<float>()[2 * k + axis] = p[k][axis];
  }
};

double distance(const std::array<float, 2>& a, const std::array<float, 2>& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1]);
}

TEST(HeatmapCodec, AnAllZeroPredictionCostsWhatTheAreaOfTheGaussianSays) {
  for (const auto& [sigma, side, loss] :
       {std::tuple{"1", 256, 7.67e-4}, {"1.5", 256, 1.73e-3}, {"1", 128, 3.07e-3}}) {
    const auto codec = codec_of({{"sigma", sigma}});
    const Labels l({{100.3f, 60.7f}, {61, 64}});
    const Batch targets = codec->encode(l.points, l.visibility, {side, side});
    const double got =
        codec->zero_loss(Tensor::zeros(targets.at("heatmaps").shape()), targets).item();
    EXPECT_NEAR(got, loss, 0.005 * loss);
  }
}

TEST(Codec, ShapesThatDoNotFitAreNamedAtOnce) {
  const auto codec = codec_of({});
  const std::string message = error_of([&] {
    codec->encode(Tensor::zeros({1, 1, 3, 2}), Tensor::zeros({1, 1, 2}), {30, 32});
  });
  for (const char* part : {"visibility has shape [1,1,2]", "visibility is f32", "30x32"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(Codec, AnUnknownOneIsAnErrorWithTheList) {
  const std::string message = error_of([] { codec_of({{"codec", "heatmaps"}}); });
  EXPECT_NE(message.find("heatmap"), std::string::npos) << message;
}

}  // namespace
}  // namespace cairn
