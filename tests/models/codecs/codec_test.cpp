// What every codec keeps: points survive encoding and decoding, missing ones count for nothing, and
// mirror images come back.
#include "models/codecs/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "layers/functions_elementwise.h"
#include "runtime/random.h"
#include "tests/caught.h"
#include "tests/layers/gradient_check.h"

namespace cairn {
namespace {

std::unique_ptr<Codec> codec_of(const Options& options) {
  OptionReader read("codec", options);
  std::unique_ptr<Codec> codec = make_codec(read);
  read.finish();
  return codec;
}

// The output that agrees with the targets: what a perfect network says.
Tensor perfect_output(const Codec& codec, const Batch& targets) {
  const std::string name = codec.options().at("codec");
  if (name == "heatmap" || name == "signed") return targets.at("heatmaps");
  if (name == "coordinates") return targets.at("coordinates");
  if (name == "soft_argmax") {
    Tensor logits = targets.at("distributions").clone();
    for (int64_t i = 0; i < logits.count(); ++i)
      logits.data<float>()[i] = std::log(logits.data<float>()[i] + 1e-20f);
    return logits;
  }
  Tensor logits = targets.at("disks").clone();
  for (int64_t i = 0; i < logits.count(); ++i)
    logits.data<float>()[i] = logits.data<float>()[i] > 0 ? 20.f : -20.f;
  Tape tape(false);
  return concat({tape.constant(logits), tape.constant(targets.at("offsets"))}).value();
}

const InputSize square{64, 64};  // a map of 16 x 16

// Image n has its points in cell (n % 16, n / 16): an 8 x 8 grid of places over that cell.
Tensor every_place() {
  Tensor points = Tensor::empty({256, 1, 64, 2});
  for (int64_t i = 0; i < 256 * 64; ++i) {
    const int64_t cell = i / 64, place = i % 64;
    points.data<float>()[2 * i] = float(cell % 16) * 4 + (float(place % 8) + 0.5f) / 2 - 0.5f;
    points.data<float>()[2 * i + 1] = float(cell / 16) * 4 + (float(place / 8) + 0.5f) / 2 - 0.5f;
  }
  return points;
}

struct RoundTrip {
  Options options;
  double inside;  // largest error, in cells, of points at least `margin` cells from the edges,
  double margin;
  double anywhere;  // and of all points
};

std::string title(const Options& options) {
  std::string words;
  for (const char* key : {"codec", "decoder", "sigma", "loss"})
    if (const auto it = options.find(key); it != options.end())
      words += (words.empty() ? "" : "_") + it->second;
  std::replace(words.begin(), words.end(), '.', '_');
  return words;
}

class Codecs : public ::testing::TestWithParam<RoundTrip> {};

TEST_P(Codecs, DecodeWhatTheyHaveEncodedAtEveryPlace) {
  const RoundTrip& r = GetParam();
  const auto codec = codec_of(r.options);
  const Tensor points = every_place();
  for (const int v : {1, 2}) {  // hidden, visible
    const Tensor visibility = Tensor::full({256, 1, 64}, v, DType::u8);
    const Batch targets = codec->encode(points, visibility, square);
    const auto found = codec->decode(perfect_output(*codec, targets), square);
    double inside = 0, anywhere = 0;
    for (int64_t i = 0; i < 256 * 64; ++i) {
      const float* p = points.data<float>() + 2 * i;
      const auto& q = found[size_t(i / 64)].points[size_t(i % 64)];
      const double error = std::hypot(q[0] - p[0], q[1] - p[1]) / Codec::stride;
      anywhere = std::max(anywhere, error);
      const double edge = 4 * r.margin - 0.5;
      if (std::min(p[0], p[1]) >= edge && std::max(p[0], p[1]) <= 63 - edge)
        inside = std::max(inside, error);
      if (!found[size_t(i / 64)].visible.empty())
        EXPECT_EQ(found[size_t(i / 64)].visible[size_t(i % 64)], v == 2);
      EXPECT_GE(found[size_t(i / 64)].scores[size_t(i % 64)], 0.25);
    }
    EXPECT_LE(inside, r.inside);
    EXPECT_LE(anywhere, r.anywhere);
  }
}

TEST_P(Codecs, MakeTheSameTargetsOnEveryDevice) {
  const auto codec = codec_of(GetParam().options);
  // Three instances of seven points, some of them outside.
  Tensor points = Tensor::empty({2, 3, 7, 2}), visibility = Tensor::empty({2, 3, 7}, DType::u8);
  Random random(8);
  for (int64_t i = 0; i < points.count(); ++i)
    points.data<float>()[i] = float(random.uniform(-20, 84));
  for (int64_t i = 0; i < visibility.count(); ++i)
    visibility.data<uint8_t>()[i] = uint8_t(random.integer(0, 2));
  const Batch want = codec->encode(points, visibility, square);
  for (Device device : available_devices()) {
    Batch there = codec->annotations(points, visibility, square);
    for (auto& [name, t] : there) t = t.to(device);
    for (const auto& [name, t] : codec->targets(there, square)) {
      const std::vector<float> a = t.values<float>(), b = want.at(name).values<float>();
      ASSERT_EQ(a.size(), b.size()) << name;
      for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 2e-6) << device << ' ' << name;
    }
  }
}

// Two images of three points, of which the second image lacks the middle one.
struct SmallBatch {
  Tensor points = Tensor::from<float>({2, 1, 3, 2}, {10.3f, 20.7f, 40, 33, 50.2f, 12,  //
                                                     30, 31.5f, NAN, NAN, 5.1f, 60});
  Tensor visibility = Tensor::from<uint8_t>({2, 1, 3}, {2, 1, 2, 1, 0, 2});

  // Outputs that are near to nothing in particular, and the targets in float64.
  Tensor output(const Codec& codec, uint64_t seed) const {
    return codec.global() ? normal64({2, 1, 1, codec.channels(3)}, seed)
                          : normal64({2, 16, 16, codec.channels(3)}, seed);
  }
  Batch targets64(const Codec& codec) const {
    Batch targets = codec.encode(points, visibility, square);
    for (auto& [name, t] : targets) t = t.to(DType::f64);
    return targets;
  }
};

double loss_of(const Codec& codec, const Tensor& output, const Batch& targets) {
  Tape tape(false);
  return codec.loss(tape.constant(output), targets).value().item();
}

TEST_P(Codecs, HaveALossWhoseGradientEqualsCentralDifferences) {
  const auto codec = codec_of(GetParam().options);
  const SmallBatch batch;
  const Batch targets = batch.targets64(*codec);
  const Tensor output = batch.output(*codec, 3);
  Tape tape;
  const Var x = tape.leaf(output);
  tape.backward(codec->loss(x, targets));
  for (uint64_t draw = 0; draw < 4; ++draw) {
    const Tensor direction = batch.output(*codec, 10 + draw);
    const auto at = [&](double step) {
      Tensor moved = output.clone();
      for (int64_t i = 0; i < moved.count(); ++i)
        moved.data<double>()[i] += step * direction.data<double>()[i];
      return loss_of(*codec, moved, targets);
    };
    const double slope = (at(1e-5) - at(-1e-5)) / 2e-5, ours = dot64(x.grad(), direction);
    EXPECT_LE(std::abs(slope - ours), 1e-6 * std::max(1e-3, std::abs(slope))) << slope;
  }
}

TEST_P(Codecs, GiveAMissingPointNoGradientAtAll) {
  const auto codec = codec_of(GetParam().options);
  const SmallBatch batch;
  Tape tape;
  const Var x = tape.leaf(batch.output(*codec, 3));
  tape.backward(codec->loss(x, batch.targets64(*codec)));
  const int64_t C = codec->channels(3), per_point = C / 3, cells = x.value().count() / 2 / C;
  for (int64_t cell = 0; cell < cells; ++cell) {
    const double* g = x.grad().data<double>() + (cells + cell) * C;  // of the second image
    // The channels of the middle point: together, or for offsets a logit and then two offsets.
    const std::vector<int64_t> own = C == 9           ? std::vector<int64_t>{1, 5, 6}
                                     : per_point == 2 ? std::vector<int64_t>{2, 3}
                                                      : std::vector<int64_t>{1};
    for (const int64_t c : own) EXPECT_EQ(g[c], 0) << "cell " << cell << " channel " << c;
    EXPECT_NE(g[0], 0);
  }
}

TEST_P(Codecs, CostLittleWhereTheOutputIsPerfectAndMoreWhereItSaysNothing) {
  const auto codec = codec_of(GetParam().options);
  const SmallBatch batch;
  const Batch targets = codec->encode(batch.points, batch.visibility, square);
  const Tensor perfect = perfect_output(*codec, targets);
  EXPECT_LT(loss_of(*codec, perfect, targets), 0.02 * codec->zero_loss(perfect, targets).item());
}

TEST_P(Codecs, BringAMirroredAnswerBack) {
  const auto codec = codec_of(GetParam().options);
  const Tensor points = Tensor::from<float>({1, 1, 3, 2}, {22.3f, 20.7f, 40, 33, 40.2f, 22});
  const Tensor mirrored = Tensor::from<float>({1, 1, 3, 2}, {22.8f, 22, 23, 33, 40.7f, 20.7f});
  const Tensor seen = Tensor::full({1, 1, 3}, 2, DType::u8);
  const Tensor answer = perfect_output(*codec, codec->encode(mirrored, seen, square));
  const auto found = codec->decode(codec->mirrored(answer, {2, 1, 0}), square)[0].points;
  for (size_t k = 0; k < 3; ++k)
    for (size_t axis : {0, 1})
      EXPECT_NEAR(found[k][axis], points.data<float>()[2 * k + axis], 4 * GetParam().inside + 0.01);
}

TEST_P(Codecs, AreMadeAgainFromTheirOptions) {
  const auto codec = codec_of(GetParam().options);
  EXPECT_EQ(codec_of(codec->options())->options(), codec->options());
}

Options heatmap(const char* decoder, const char* sigma, const char* codec = "heatmap") {
  return {{"codec", codec}, {"decoder", decoder}, {"sigma", sigma}};
}

INSTANTIATE_TEST_SUITE_P(
    All, Codecs,
    ::testing::Values(
        RoundTrip{heatmap("argmax", "1.5"), .708, 0, .708},
        RoundTrip{heatmap("quarter", "1.5"), .354, 1, .708},
        RoundTrip{heatmap("dark", "1"), 1e-3, 5.5, .708},
        RoundTrip{heatmap("dark", "1.5"), 1e-3, 6.5, .708},
        RoundTrip{heatmap("soft_argmax", "1"), .004, 4, .708},
        RoundTrip{heatmap("dark", "1.5", "signed"), 1e-3, 6.5, .708},
        RoundTrip{heatmap("quarter", "1.5", "signed"), .354, 1, .708},
        RoundTrip{{{"codec", "offsets"}}, 1e-4, 0, 1e-4},
        RoundTrip{{{"codec", "soft_argmax"}}, 1e-3, 4, 1.15},
        RoundTrip{{{"codec", "soft_argmax"}, {"distance", "l1"}, {"sigma", "0.7"}}, .002, 4, .82},
        RoundTrip{{{"codec", "coordinates"}}, 1e-5, 0, 1e-5},
        RoundTrip{{{"codec", "coordinates"}, {"loss", "smooth_l1"}}, 1e-5, 0, 1e-5}),
    [](const auto& info) { return title(info.param.options); });

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
  for (const char* name : {"heatmap", "signed", "offsets", "soft_argmax", "coordinates"})
    EXPECT_NE(message.find(name), std::string::npos) << message;
}

}  // namespace
}  // namespace cairn
