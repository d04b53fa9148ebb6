#include "models/landmark_autoencoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "layers/weights.h"
#include "runtime/error.h"
#include "tests/caught.h"
#include "tests/layers/gradient_check.h"

namespace cairn {
namespace {

std::unique_ptr<Model> make(const Options& options) {
  return make_model("landmark_autoencoder", options);
}

// Trainable numbers whose name begins with `part`.
int64_t count(const Options& options, const std::string& part = "") {
  const auto model = make(options);
  int64_t sum = 0;
  const Parameters parameters(*model, Device::cpu);
  for (const Segment& s : parameters.segments())
    if (s.name.starts_with(part)) sum += s.length;
  return sum;
}

TEST(LandmarkAutoencoder, HasThePapersParametersToTheLastOne) {
  EXPECT_EQ(count({}, "detector."), 680'769);
  EXPECT_EQ(count({}, "features."), 4'745'280);
  EXPECT_EQ(count({}, "decoder."), 14'367'561);
  EXPECT_EQ(count({}), 19'804'946);
  EXPECT_EQ(count({{"landmarks", "30"}}), 19'888'846);
}

TEST(LandmarkAutoencoder, TheMiniOneHasHalfAMillion) {
  EXPECT_EQ(count({{"size", "mini"}}), 504'630);
  EXPECT_EQ(count({{"size", "mini"}, {"landmarks", "8"}}), 503'360);
}

constexpr int K = 3;
const Options small{
    {"size", "mini"}, {"landmarks", "3"}, {"input_height", "16"}, {"input_width", "24"}};

// Two images and a warp for each: a turn, and a spline that moves the middle.
Batch small_batch(DType type = DType::f32) {
  Tensor image = normal64({2, 16, 24, 3}, 3);
  for (int64_t i = 0; i < image.count(); ++i)
    image.data<double>()[i] = 0.5 + 0.1 * image.data<double>()[i];
  const Tensor theta =
      Tensor::from<double>({2, 4, 2}, {0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0.05, -0.02, 1, 0.1, -0.1, 1});
  const Tensor affine = Tensor::from<double>(
      {2, 2, 3}, {0.94, -0.34, 0.05, 0.34, 0.94, -0.05, 1.1, 0, -0.1, 0, 1.1, 0.2});
  return {{"image", image.to(type)},
          {"warp_control", Tensor::zeros({2, 1, 2}, type)},
          {"warp_theta", theta.to(type)},
          {"warp_affine", affine.to(type)},
          {"reconstruction_weight", Tensor::full({2, 3}, 0.5, type)}};
}

// Moves every weight along a random direction: the slope of the loss against its gradient, but for
// the kinks of leaky ReLUs and pools that lie within the step.
void expect_slope(const Options& options, const Options& loss_options) {
  const auto model = make(options);
  model->set_loss_options(loss_options);
  Parameters parameters(*model, Device::cpu, DType::f64);
  parameters.initialize(1);
  const Batch batch = small_batch(DType::f64);
  const auto value = [&] {
    Tape tape;
    tape.training = true;
    return model->loss(tape, batch).total.value().item();
  };
  parameters.begin_step();
  Tape tape;
  tape.training = true;
  tape.backward(model->loss(tape, batch).total);
  for (const Segment& s : parameters.segments())
    EXPECT_TRUE(s.parameter->touched) << s.name << " got no gradient";
  const Tensor base = parameters.values().clone(), direction = normal64(base.shape(), 5);
  const double slope = dot64(parameters.grads(), direction);
  const auto moved = [&](double step) {
    for (int64_t i = 0; i < base.count(); ++i)
      parameters.values().data<double>()[i] =
          base.data<double>()[i] + step * direction.data<double>()[i];
    return value();
  };
  const double h = 1e-7;
  const double difference = (moved(h) - moved(-h)) / (2 * h);
  EXPECT_NEAR(difference, slope, 1e-3 * std::abs(slope));
}

TEST(LandmarkAutoencoder, ItsGradientIsTheSlopeOfItsLoss) { expect_slope(small, {}); }

TEST(LandmarkAutoencoder, SoItIsInTheFormsOfTheAuthorsCode) {
  Options code = small;
  code.merge(Options{{"ground", "code"}, {"descriptors", "linear"}});
  expect_slope(code, {{"spread", "deviation"}});
}

TEST(LandmarkAutoencoder, AndWithDescriptorsPooledUnderGaussians) {
  Options gaussian = small;
  gaussian["masks"] = "gaussian";
  expect_slope(gaussian, {});
}

TEST(LandmarkAutoencoder, TheLossIsTheSumOfItsTermsAndAWeightOfNothingLeavesOneOut) {
  const auto model = make(small);
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(1);
  const auto terms = [&] {
    Tape tape(false);
    tape.training = true;
    Loss loss = model->loss(tape, small_batch());
    loss.terms["total"] = loss.total.value();
    std::map<std::string, double> all;
    for (const auto& [name, t] : loss.terms) all[name] = t.item();
    return all;
  };
  auto t = terms();
  EXPECT_NEAR(t["total"],
              t["concentration"] + t["separation"] + t["equivariance"] + t["reconstruction"],
              1e-5 * t["total"]);
  // (1/B) sum 0.5 (I - I~)^2 over 16 x 24 x 3 elements, of weight 0.5.
  EXPECT_NEAR(t["reconstruction"], 0.5 * 0.5 * 16 * 24 * 3 * t["squared_error"],
              1e-5 * t["reconstruction"]);
  model->set_loss_options({{"separation", "0"}, {"concentration", "0"}});
  const double spread = t["spread"];
  t = terms();
  EXPECT_EQ(t["separation"], 0);
  EXPECT_EQ(t["concentration"], 0);
  EXPECT_NEAR(t["spread"], spread, 1e-6);
  EXPECT_GT(t["equivariance"], 0);
}

// A code says where; an image of the landmarks' place in the padded frame must agree with it.
TEST(LandmarkAutoencoder, PointsAreThoseOfTheMapsInPixelsOfTheImage) {
  const auto model = make(small);
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(2);
  auto& network = dynamic_cast<LandmarkAutoencoder&>(*model);
  const Tensor image = small_batch().at("image");
  const Tensor maps = network.maps(image);
  ASSERT_EQ(maps.shape(), (Shape{2, 24, 32, K + 1}));
  const auto found = model->detect(image, {});
  const auto code = network.encode(image);
  EXPECT_EQ(code.descriptors.shape(), (Shape{2, K + 1, 4}));
  for (int n = 0; n < 2; ++n)
    for (int k = 0; k < K; ++k) {
      double sum = 1e-6, x = 0, y = 0;
      for (int i = 0; i < 24; ++i)
        for (int j = 0; j < 32; ++j) {
          const double m = maps.data<float>()[((n * 24 + i) * 32 + j) * (K + 1) + k];
          sum += m;
          x += m * (j - 4);  // pixels of the image, which the padding surrounds
          y += m * (i - 4);
        }
      const auto& p = found[size_t(n)].points[size_t(k)];
      EXPECT_NEAR(p[0], x / sum, 1e-3);
      EXPECT_NEAR(p[1], y / sum, 1e-3);
      EXPECT_NEAR(code.points.data<float>()[(n * K + k) * 2], (x / sum + 0.5) / 24, 1e-4);
    }
}

// Every rounding to bf16 is 2^-9 of a value at the most; two dozen layers of them.
TEST(LandmarkAutoencoder, AnswersNearlyTheSameInBf16ButOnACpu) {
  const auto model = make(small);
  for (const Device device : available_devices()) {
    EXPECT_EQ(model->computes_in(DType::bf16, device), device != Device::cpu);
    if (device == Device::cpu) continue;
    Parameters parameters(*model, device);
    parameters.initialize(2);
    const Tensor image = small_batch().at("image").to(device);
    const auto want = model->raw_outputs(image), got = model->raw_outputs(image.to(DType::bf16));
    for (const auto& [name, t] : want) {
      ASSERT_EQ(got.at(name).dtype(), DType::f32) << name;
      const auto a = t.values<float>(), b = got.at(name).values<float>();
      EXPECT_NE(a, b) << name;
      const float largest = *std::max_element(a.begin(), a.end());
      for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 0.02 * largest) << name;
    }
  }
}

TEST(LandmarkAutoencoder, ACodeIsDecodedAtAnySizeAlsoWithLandmarksFarOutside) {
  const auto model = make(small);
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(2);
  auto& network = dynamic_cast<LandmarkAutoencoder&>(*model);
  const Tensor image = small_batch().at("image");
  auto code = network.encode(image);
  code.points.fill(40);
  const Tensor painted = network.decode(code, 16, 24);
  ASSERT_EQ(painted.shape(), image.shape());
  for (float v : painted.values<float>()) {
    EXPECT_GE(v, 0);
    EXPECT_LE(v, 1);
  }
}

TEST(LandmarkAutoencoder, ImagesOfOneColourGiveAFiniteLossAndGradient) {
  const auto model = make(small);
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(1);
  Batch batch = small_batch();
  batch["image"].fill(0.3);
  parameters.begin_step();
  Tape tape;
  tape.training = true;
  const Loss loss = model->loss(tape, batch);
  tape.backward(loss.total);
  EXPECT_TRUE(std::isfinite(loss.total.value().item()));
  for (float g : parameters.grads().values<float>()) ASSERT_TRUE(std::isfinite(g));
}

TEST(LandmarkAutoencoder, KeepsItsOptions) {
  Options options = small;
  options.merge(Options{{"padding", "12"},
                        {"sigmas", "0.1,0.3"},
                        {"ground", "code"},
                        {"masks", "gaussian"},
                        {"descriptors", "linear"},
                        {"channels", "1"}});
  const auto model = make(options);
  for (const auto& [key, value] : options) EXPECT_EQ(model->options().at(key), value) << key;
  EXPECT_NO_THROW(make(model->options()));
  EXPECT_EQ(model->skeleton()->keypoints(), 3);
}

TEST(LandmarkAutoencoder, WhatDoesNotFitIsNamed) {
  const auto message = [](const Options& options) {
    Options all{{"size", "mini"}};
    for (const auto& [key, value] : options) all[key] = value;
    return error_of([&] { make(all); });
  };
  EXPECT_NE(message({{"input_height", "20"}}).find("multiples of 8"), std::string::npos);
  EXPECT_NE(message({{"padding", "3"}}).find("padding of 3"), std::string::npos);
  EXPECT_NE(message({{"sigmas", "0.1,x"}}).find("0.1,x"), std::string::npos);
  // A map has 64 cells or more, so that there are never more landmarks than cells.
  EXPECT_NE(message({{"landmarks", "64"}}).find("1 to 63"), std::string::npos);
  const auto model = make({{"size", "mini"}});
  EXPECT_NE(error_of([&] {
              model->set_loss_options({{"separation_sigma", "0"}});
            }).find("separation_sigma"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              model->detect(Tensor::zeros({1, 20, 32, 3}), {});
            }).find("multiples of 8"),
            std::string::npos);
}

}  // namespace
}  // namespace cairn
