#include "models/factorized_embeddings.h"

#include <gtest/gtest.h>

#include <cmath>

#include "layers/functions_heatmap.h"
#include "runtime/error.h"
#include "runtime/threads.h"
#include "tests/caught.h"
#include "tests/layers/gradient_check.h"
#include "training/optimizer.h"

namespace cairn {
namespace {

std::unique_ptr<Model> make(const Options& options) {
  return make_model("factorized_embeddings", options);
}
int64_t count(const Options& options) { return Parameters(*make(options), Device::cpu).count(); }

TEST(FactorizedEmbeddings, HasTheParametersOfThePublishedTrunkAndTheNormOfTheMaps) {
  EXPECT_EQ(count({{"landmarks", "64"}}), 350'552 + 2 * 64);
  // conv 1-8-16-24-32-64-8, each 3x3 with a bias and a norm
  EXPECT_EQ(count({{"size", "mini"}, {"channels", "1"}, {"landmarks", "8"}}), 34'784 + 2 * 152);
}

constexpr int K = 3;
const Options small{{"size", "mini"},       {"landmarks", "3"},    {"channels", "1"},
                    {"input_height", "24"}, {"input_width", "28"}, {"border", "2"}};

// Two images and a warp for each: a turn, and a spline that moves the middle.
Batch small_batch(DType type = DType::f32) {
  Tensor image = normal64({2, 24, 28, 1}, 3);
  const Tensor theta =
      Tensor::from<double>({2, 4, 2}, {0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0.05, -0.02, 1, 0.1, -0.1, 1});
  const Tensor affine = Tensor::from<double>(
      {2, 2, 3}, {0.94, -0.34, 0.05, 0.34, 0.94, -0.05, 1.1, 0, -0.1, 0, 1.1, 0.2});
  return {{"image", image.to(type)},
          {"warp_control", Tensor::zeros({2, 1, 2}, type)},
          {"warp_theta", theta.to(type)},
          {"warp_affine", affine.to(type)}};
}

struct Built {
  std::unique_ptr<Model> model;
  Parameters parameters;

  explicit Built(const Options& loss = {}, DType type = DType::f32)
      : model(make(small)), parameters(*model, Device::cpu, type) {
    parameters.initialize(5);
    model->set_loss_options(loss);
  }
  std::map<std::string, double> terms(const Batch& batch) {
    Tape tape;
    tape.training = true;
    const Loss loss = model->loss(tape, batch);
    std::map<std::string, double> all{{"total", loss.total.value().item()}};
    for (const auto& [name, t] : loss.terms) all[name] = t.item();
    return all;
  }
};

TEST(FactorizedEmbeddings, ItsGradientIsTheSlopeOfItsLoss) {
  for (const Options& loss : {Options{}, Options{{"diversity", "quadratic"}, {"window", "1"}},
                              Options{{"alignment", "mean"}, {"diversity_weight", "0"}}}) {
    Built b(loss, DType::f64);
    const Batch batch = small_batch(DType::f64);
    b.parameters.begin_step();
    Tape tape;
    tape.training = true;
    tape.backward(b.model->loss(tape, batch).total);
    for (const Segment& s : b.parameters.segments())
      EXPECT_TRUE(s.parameter->touched) << s.name << " got no gradient";
    Tensor& values = b.parameters.values();
    const Tensor base = values.clone(), direction = normal64(base.shape(), 5);
    const double slope = dot64(b.parameters.grads(), direction);
    const auto moved = [&](double step) {
      for (int64_t i = 0; i < base.count(); ++i)
        values.data<double>()[i] = base.data<double>()[i] + step * direction.data<double>()[i];
      return b.terms(batch)["total"];
    };
    const double h = 1e-7;
    EXPECT_NEAR((moved(h) - moved(-h)) / (2 * h), slope, 1e-4 * std::abs(slope));
  }
}

// The alignment is a double sum over the pixels of two images; here it is one.
TEST(FactorizedEmbeddings, TheAlignmentIsTheExpectedSquaredDistanceOfAllPairsOfPlaces) {
  Built b({{"diversity_weight", "0"}}, DType::f64);
  Batch batch = small_batch(DType::f64);
  // Nothing moves and nothing is normalised by a batch: both images of a pair are the same.
  batch["warp_theta"] =
      Tensor::from<double>({2, 4, 2}, {0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1});
  batch["warp_affine"] = Tensor::from<double>({2, 2, 3}, {1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0});
  Tape tape(false);
  const double alignment = b.model->loss(tape, batch).terms.at("alignment").item();
  const Tensor maps = b.model->raw_outputs(batch["image"]).at("maps");
  ASSERT_EQ(maps.shape(), (Shape{2, 10, 12, K}));
  double brute = 0;
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t u = 0; u < 120; ++u)
      for (int64_t v = 0; v < 120; ++v)
        for (int64_t k = 0; k < K; ++k) {
          const double dx = double(u % 12 - v % 12) * 2 / 28, dy = double(u / 12 - v / 12) * 2 / 24;
          const auto p = [&](int64_t at) { return maps.data<double>()[(n * 120 + at) * K + k]; };
          brute += p(u) * p(v) * (dx * dx + dy * dy) / (2 * K);
        }
  EXPECT_NEAR(alignment, brute, 1e-6 * brute);
}

TEST(FactorizedEmbeddings, TheLossIsAlignmentPlusDiversity) {
  const Batch batch = small_batch();
  Built b;
  auto t = b.terms(batch);
  EXPECT_NEAR(t["total"], t["alignment"] + t["diversity"], 1e-6);
  EXPECT_GT(t["diversity"], 0.05 * 0.8 * (K - 1)) << "maps are flat at the start: all are alike";
  EXPECT_GT(t["warp_error"], 0);
  const double all_places = t["alignment"], spread = t["spread"];
  b.model->set_loss_options({{"alignment", "mean"}, {"diversity_weight", "0"}});
  t = b.terms(batch);
  EXPECT_EQ(t["diversity"], 0);
  EXPECT_NEAR(all_places - t["alignment"], 4 * spread, 1e-6);
}

TEST(FactorizedEmbeddings, PointsAreTheMeansOfTheMapsInPixelsOfTheImage) {
  Built b;
  const Tensor image = small_batch().at("image");
  const auto raw = b.model->raw_outputs(image);
  const Tensor& maps = raw.at("maps");
  const auto found = b.model->detect(image, {});
  ASSERT_EQ(found.size(), 2u);
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t k = 0; k < K; ++k) {
      double x = 0, y = 0, score = 0;
      for (int64_t u = 0; u < 120; ++u) {
        const double p = maps.data<float>()[(n * 120 + u) * K + k];
        x += p * (2 + 2 * double(u % 12) + 0.5);  // cells of two pixels within the border
        y += p * (2 + 2 * double(u / 12) + 0.5);
        score += p * p;
      }
      EXPECT_NEAR(found[n].points[k][0], x, 1e-4);
      EXPECT_NEAR(found[n].points[k][1], y, 1e-4);
      EXPECT_NEAR(found[n].scores[k], score, 1e-5);
    }
  EXPECT_EQ(b.model->skeleton()->names, (std::vector<std::string>{"1", "2", "3"}));
  for (const auto& [name, spec] : b.model->loss_inputs(2, 24, 28))
    EXPECT_EQ(spec.shape, small_batch().at(name).shape()) << name;
}

// A disc of radius 4 in each image of 32x32, and where.
struct Discs {
  Tensor image;
  std::vector<Point> centres;
};
Discs discs(int64_t count, uint64_t seed) {
  constexpr int64_t side = 32;
  Discs d{Tensor::empty({count, side, side, 1}), {}};
  Random random(seed);
  for (int64_t n = 0; n < count; ++n) {
    const Point c{random.uniform(9, 22), random.uniform(9, 22)};
    d.centres.push_back(c);
    for (int64_t u = 0; u < side * side; ++u) {
      const double r = std::hypot(double(u % side) - c.x, double(u / side) - c.y);
      d.image.data<float>()[n * side * side + u] = float(0.3 + 0.4 * std::clamp(4.5 - r, 0., 1.));
    }
  }
  return d;
}

// Distances from the centres of other discs, in pixels, after 500 steps on turned discs.
std::vector<double> misses(const std::string& alignment) {
  const auto model =
      make({{"size", "mini"}, {"landmarks", "1"}, {"channels", "1"}, {"border", "0"}});
  model->set_loss_options({{"alignment", alignment}});
  Parameters parameters(*model, Device::cpu);
  parameters.initialize(1);
  Optimizer optimizer({}, parameters);
  optimizer.set_learning_rate(1e-3);
  Random random(3);
  constexpr int64_t batch = 4;
  Batch b{{"warp_control", Tensor::empty({batch, 0, 2})},
          {"warp_theta", Tensor::empty({batch, 3, 2})},
          {"warp_affine", Tensor::empty({batch, 2, 3})}};
  for (int step = 0; step < 500; ++step) {
    b["image"] = discs(batch, 100 + uint64_t(step)).image;
    for (int64_t n = 0; n < batch; ++n) {
      const double turn = random.uniform(-M_PI, M_PI), c = std::cos(turn), s = std::sin(turn);
      const double rows[2][3] = {{c, -s, random.normal() / 10}, {s, c, random.normal() / 10}};
      std::copy_n(rows[0], 6, b["warp_affine"].data<float>() + 6 * n);
      const float identity[] = {0, 0, 1, 0, 0, 1};
      std::copy_n(identity, 6, b["warp_theta"].data<float>() + 6 * n);
    }
    parameters.begin_step();
    Tape tape;
    tape.training = true;
    tape.backward(model->loss(tape, b).total);
    optimizer.step(INFINITY);
  }
  const Discs held_out = discs(64, 7);
  const auto found = model->detect(held_out.image, {});
  std::vector<double> distances;
  for (size_t n = 0; n < found.size(); ++n) {
    const auto& p = found[n].points[0];
    distances.push_back(std::hypot(p[0] - held_out.centres[n].x, p[1] - held_out.centres[n].y));
  }
  return distances;
}

double mean(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += x;
  return sum / double(v.size());
}

TEST(FactorizedEmbeddings, OnePointLearnsTheCentreOfADisc) {
  set_thread_count(1);  // the images are too small to share
  // Aligned with all places, a map ends in one cell, of two pixels: half of them is what is lost.
  EXPECT_LT(mean(misses("distribution")), 1);
  const auto of_means = misses("mean");
  EXPECT_LT(*std::max_element(of_means.begin(), of_means.end()), 1);
  set_thread_count(0);
}

TEST(FactorizedEmbeddings, RefusesWhatDoesNotFit) {
  Built b;
  for (const Shape& s :
       {Shape{1, 24, 27, 1}, Shape{1, 24, 4, 1}, Shape{1, 24, 28, 3}, Shape{24, 28}})
    EXPECT_NE(error_of([&] {
                b.model->detect(Tensor::zeros(s), {});
              }).find("even sides above 4, twice the border"),
              std::string::npos)
        << s;
  FactorizedEmbeddingsOptions o;
  o.landmarks = 0;
  o.border = -1;
  EXPECT_NE(error_of([&] { FactorizedEmbeddings network(o); }).find("landmarks 0"),
            std::string::npos);
  Options many = small;  // 20 x 24 pixels inside the border
  many["landmarks"] = "120";
  EXPECT_NO_THROW(make(many));
  many["landmarks"] = "121";
  EXPECT_NE(error_of([&] { make(many); }).find("121 landmarks"), std::string::npos);
  EXPECT_NE(error_of([&] {
              b.model->set_loss_options({{"alignment", "cubic"}});
            }).find("cubic"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              b.model->set_loss_options({{"window", "0"}});
            }).find("window"),
            std::string::npos);
}

}  // namespace
}  // namespace cairn
