#include "training/training_step.h"

#include <gtest/gtest.h>

#include <cstring>

#include "layers/functions_elementwise.h"
#include "layers/functions_loss.h"
#include "models/codecs/codec.h"
#include "runtime/error.h"
#include "runtime/memory.h"
#include "tests/caught.h"
#include "tests/devices_with_graphs.h"
#include "training/grey_image.h"
#include "training/homographic_pairs.h"
#include "training/magicpoint_data.h"
#include "training/noise_batch.h"

namespace cairn {
namespace {

struct System {
  std::string name, model;
  Options options, loss;
  int64_t batch, height, width;
  OptimizerKind optimizer = OptimizerKind::adam;
  DType activations = DType::f32;
};

Batch noise(const System& s, uint64_t seed) {
  return noise_batch(*make_model(s.model, s.options), s.batch, s.height, s.width, seed);
}

struct Training {
  std::unique_ptr<Model> model;
  Parameters parameters;
  Optimizer optimizer;
  TrainingStep step;

  Training(const System& s, Device device, const StepOptions& options)
      : model(make_model(s.model, s.options)),
        parameters(*model, device),
        optimizer(OptimizerConfig::defaults(s.optimizer), parameters),
        step(*model, parameters, optimizer, options) {
    model->set_loss_options(s.loss);
    parameters.initialize(1);
  }
};

void expect_same(const Tensor& a, const Tensor& b, const std::string& what) {
  ASSERT_EQ(a.bytes(), b.bytes()) << what;
  const Tensor x = a.to(Device::cpu), y = b.to(Device::cpu);
  EXPECT_EQ(std::memcmp(x.raw(), y.raw(), x.bytes()), 0) << what;
}

// The same step on both, the one eagerly and the other captured or on its way there.
void expect_same_step(Training& eager, Training& captured, const Batch& batch, double lr) {
  const StepResult &a = eager.step.run(batch, lr), &b = captured.step.run(batch, lr);
  EXPECT_TRUE(std::isfinite(a.loss.item()));
  expect_same(a.loss, b.loss, "loss");
  ASSERT_EQ(a.terms.size(), b.terms.size());
  for (const auto& [name, term] : a.terms) expect_same(term, b.terms.at(name), name);
  expect_same(eager.optimizer.gradient_norm(), captured.optimizer.gradient_norm(), "norm");
}

void expect_same_weights(Training& a, Training& b) {
  const auto first = named_tensors(*a.model), second = named_tensors(*b.model);
  for (size_t i = 0; i < first.size(); ++i)
    expect_same(*first[i].tensor, *second[i].tensor, first[i].name);
}

// While it lives, memory that is handed out holds NaN: what a replay forgot to write is seen.
struct PoisonedMemory {
  const Device device;
  explicit PoisonedMemory(Device d) : device(d) { memory(d).poison(true); }
  ~PoisonedMemory() { memory(device).poison(false); }
};

class EverySystem : public testing::TestWithParam<std::tuple<System, Device>> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EverySystem);

// Another batch and another learning rate in each step; the third one is the first replay.
TEST_P(EverySystem, LearnsTheSameToTheBitFromAGraph) {
  const auto& [s, device] = GetParam();
  const PoisonedMemory poisoned(device);
  Training eager(s, device, {.max_norm = 1, .capture = false, .activations = s.activations}),
      captured(s, device, {.max_norm = 1, .activations = s.activations});
  for (int i = 0; i < 4; ++i) {
    expect_same_step(eager, captured, noise(s, uint64_t(i)), 1e-3 / (i + 1));
    EXPECT_EQ(captured.step.captured(), i >= 2);
  }
  EXPECT_FALSE(eager.step.captured());
  expect_same_weights(eager, captured);
}

System hourglass(const std::string& codec, const std::string& block = "bottleneck") {
  return {"hourglass_" + codec + "_" + block,
          "stacked_hourglass",
          {{"stacks", "2"},
           {"features", "8"},
           {"joints", "3"},
           {"depth", "1"},
           {"codec", codec},
           {"block", block}},
          {},
          2,
          32,
          32,
          OptimizerKind::rmsprop};
}
System superpoint(const std::string& form) {
  return {"superpoint_" + form, "superpoint-mnv2", {}, {{"form", form}}, 1, 32, 32};
}
System landmarks(const std::string& masks) {
  return {"landmark_autoencoder_" + masks,
          "landmark_autoencoder",
          {{"size", "mini"}, {"landmarks", "3"}, {"masks", masks}},
          {},
          1,
          32,
          32};
}
System embeddings(const std::string& alignment) {
  return {"factorized_embeddings_" + alignment,
          "factorized_embeddings",
          {{"size", "mini"}, {"landmarks", "3"}, {"border", "0"}},
          {{"alignment", alignment}},
          1,
          32,
          32};
}
System in_bf16(System s) {
  s.name += "_bf16";
  s.activations = DType::bf16;
  return s;
}
const System magicpoint{"magicpoint", "magicpoint", {{"norm", "pre"}}, {}, 1, 16, 16},
    superpoint_vgg{"superpoint_vgg", "superpoint", {{"norm", "post"}}, {}, 1, 16, 16};
INSTANTIATE_TEST_SUITE_P(
    Systems, EverySystem,
    testing::Combine(
        testing::Values(magicpoint, in_bf16(magicpoint), superpoint_vgg, in_bf16(superpoint_vgg),
                        superpoint("double_norm"), superpoint("paper"), superpoint("sparse"),
                        in_bf16(superpoint("sparse")), hourglass("heatmap"),
                        in_bf16(hourglass("heatmap")), hourglass("signed"), hourglass("offsets"),
                        hourglass("soft_argmax"), hourglass("coordinates"),
                        in_bf16(hourglass("coordinates")), hourglass("heatmap", "hierarchical"),
                        in_bf16(hourglass("heatmap", "hierarchical")), landmarks("maps"),
                        in_bf16(landmarks("maps")), landmarks("gaussian"),
                        embeddings("distribution"), embeddings("mean")),
        testing::ValuesIn(devices_with_graphs())),
    [](const auto& info) {
      return std::get<0>(info.param).name + "_" + name(std::get<1>(info.param));
    });

class CapturedStep : public testing::TestWithParam<Device> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CapturedStep);
INSTANTIATE_TEST_SUITE_P(Devices, CapturedStep, testing::ValuesIn(devices_with_graphs()),
                         [](const auto& info) { return name(info.param); });

// An image without its partner: other shapes, and the descriptor's parameters get no gradient.
TEST_P(CapturedStep, ABatchOfOtherShapesRunsEagerlyBetweenReplays) {
  const System s = superpoint("sparse");
  Training eager(s, GetParam(), {.capture = false}), captured(s, GetParam(), {});
  for (int i = 0; i < 5; ++i) {
    Batch batch = noise(s, uint64_t(i));
    if (i == 3) {
      batch.erase("homography");
      for (auto& [name, t] : batch) t = t.rows(0, 1);
    }
    expect_same_step(eager, captured, batch, 1e-3);
  }
  EXPECT_TRUE(captured.step.captured());
  expect_same_weights(eager, captured);
}

// Weights of a loss that follow a schedule come with the batch: a replay reads those of its step.
TEST_P(CapturedStep, ALossWeightIsThatOfItsStep) {
  Training t(landmarks("maps"), GetParam(), {});
  Batch batch = noise(landmarks("maps"), 1);
  double whole = 0;
  for (const double weight : {1.0, 1.0, 1.0, 0.25, 0.0}) {
    batch.at("reconstruction_weight").fill(weight);
    const StepResult& done = t.step.run(batch, /*lr=*/0);
    const double found = done.terms.at("reconstruction").item();
    if (weight == 1) whole = found;
    EXPECT_GT(whole, 0);
    EXPECT_NEAR(found, weight * whole, 1e-6 * whole);
    double sum = 0;
    for (const char* term : {"concentration", "separation", "equivariance", "reconstruction"})
      sum += done.terms.at(term).item();
    EXPECT_NEAR(done.loss.item(), sum, 1e-5 * sum);
  }
  EXPECT_TRUE(t.step.captured());
}

// A batch of random numbers and of shapes, which the step itself makes into what it learns from.
Batch drawn_batch(uint64_t seed) {
  constexpr int height = 56, width = 64;
  Random random(seed);
  Batch b{{"plan", Tensor::empty({1, photometric_integers}, DType::i32)},
          {"amounts", Tensor::empty({1, photometric_reals})},
          {"warp", Tensor::empty({1, 3, 3})},
          {"points", Tensor::empty({1, 5, 2})},
          {"keys", Tensor::empty({1, 2}, DType::i32)},
          {"valid", Tensor::full({1, height / 8, width / 8}, 1, DType::u8)},
          {"shapes", Tensor::empty({2, height, width, 1}, DType::u8)}};
  PhotometricDraw changes = random_changes({}, height, width, random);
  changes.plan.source = random.integer(0, 1);
  std::memcpy(b.at("plan").raw(), &changes.plan, sizeof changes.plan);
  std::memcpy(b.at("amounts").raw(), &changes.amounts, sizeof changes.amounts);
  const Matrix3 warp = random_homography(HomographyRange::magicpoint(), height, width, random);
  std::copy(warp.m.begin(), warp.m.end(), b.at("warp").data<float>());
  for (int i = 0; i < 10; ++i) b.at("points").data<float>()[i] = float(random.uniform(0, height));
  for (int i = 0; i < 2; ++i) b.at("keys").data<int32_t>()[i] = int32_t(random.bits());
  for (int64_t i = 0; i < b.at("shapes").count(); ++i)
    b.at("shapes").data<uint8_t>()[i] = uint8_t(random.integer(0, 255));
  return b;
}

TEST_P(CapturedStep, AugmentsAndRendersLabelsToTheSameBits) {
  const auto prepare = [](const Batch& drawn) -> Batch {
    const DetectorBatch b = rendered(drawn.at("shapes"), drawn);
    return {{"image", b.image}, {"label", b.label}, {"valid", b.valid}};
  };
  const PoisonedMemory poisoned(GetParam());
  Training eager(magicpoint, GetParam(), {.capture = false, .prepare = prepare}),
      captured(magicpoint, GetParam(), {.prepare = prepare});
  for (uint64_t i = 0; i < 4; ++i) {
    expect_same_step(eager, captured, drawn_batch(i), 1e-3);
    EXPECT_EQ(captured.step.captured(), i >= 2);
  }
  expect_same_weights(eager, captured);
}

LabelledImage labelled_noise(int64_t side, uint64_t seed) {
  Random random(seed);
  LabelledImage image{Tensor::empty({side, side, 1}, DType::u8), {}};
  for (int64_t i = 0; i < side * side; ++i)
    image.image.data<uint8_t>()[i] = uint8_t(random.integer(0, 255));
  for (int i = 0; i < 5; ++i) {
    const double x = random.uniform(0, double(side));
    image.points.push_back({x, random.uniform(0, double(side))});
  }
  return image;
}

// Pairs of an image that the device keeps and of one that comes with the batch.
TEST_P(CapturedStep, WarpsAndChangesPairsToTheSameBits) {
  const LabelledImage photo = labelled_noise(64, 9);
  const PairImages images{
      64, 64, 5, [&](int64_t i) {
        return i % 2 ? ImageLevels{{labelled_noise(64, uint64_t(i))}} : ImageLevels{{photo}, 0};
      }};
  HomographicPairs options;
  options.photometric = Photometric::synthetic_shapes();  // of photographs, a shade reaches further
  ImageCache cache({photo.image}, 1, GetParam(), {2, 64, 64, 1});
  const auto prepare = [&](const Batch& drawn) -> Batch {
    const PairBatch b = rendered_pairs(drawn, &cache);
    return {{"image", with_channels(b.image, 3)},
            {"label", b.label},
            {"valid", b.valid},
            {"homography", b.homography}};
  };
  const PoisonedMemory poisoned(GetParam());
  const System s = superpoint("sparse");
  Training eager(s, GetParam(), {.capture = false, .prepare = prepare}),
      captured(s, GetParam(), {.prepare = prepare});
  for (int64_t i = 0; i < 4; ++i) {
    expect_same_step(eager, captured, draw_pair_batch(images, options, 3, 2, i, &cache), 1e-3);
    EXPECT_EQ(captured.step.captured(), i >= 2);
  }
  expect_same_weights(eager, captured);
}

// Images, and where their points are: what the step itself makes into targets.
Batch annotated_batch(const System& s, const Codec& codec, uint64_t seed) {
  Tensor points = Tensor::empty({s.batch, 2, 3, 2}),
         visibility = Tensor::empty({s.batch, 2, 3}, DType::u8);
  Random random(seed);
  for (int64_t i = 0; i < points.count(); ++i)
    points.data<float>()[i] = float(random.uniform(0, double(s.height)));
  for (int64_t i = 0; i < visibility.count(); ++i)
    visibility.data<uint8_t>()[i] = uint8_t(random.integer(0, 2));
  Batch batch = codec.annotations(points, visibility, {s.height, s.width});
  batch["image"] = noise(s, seed).at("image");
  return batch;
}

TEST_P(CapturedStep, MakesTheTargetsOfACodecToTheSameBits) {
  const PoisonedMemory poisoned(GetParam());
  for (const char* name : {"heatmap", "signed", "offsets", "soft_argmax", "coordinates"}) {
    SCOPED_TRACE(name);
    const System s = hourglass(name);
    const auto model = make_model(s.model, s.options);
    const Codec& codec = *model->codec();
    const auto prepare = [&](const Batch& annotated) {
      Batch batch = codec.targets(annotated, {s.height, s.width});
      batch["image"] = annotated.at("image");
      return batch;
    };
    Training eager(s, GetParam(), {.capture = false, .prepare = prepare}),
        captured(s, GetParam(), {.prepare = prepare});
    for (uint64_t i = 0; i < 4; ++i) {
      expect_same_step(eager, captured, annotated_batch(s, codec, i), 1e-3);
      EXPECT_EQ(captured.step.captured(), i >= 2);
    }
    expect_same_weights(eager, captured);
  }
}

bool captured_after_three_steps(Device device, const StepOptions& options) {
  const System s = embeddings("mean");
  Training t(s, device, options);
  for (int i = 0; i < 3; ++i) t.step.run(noise(s, 1), 1e-3);
  return t.step.captured();
}

TEST_P(CapturedStep, IsNoneWhereAnomaliesAreSearched) {
  EXPECT_TRUE(captured_after_three_steps(GetParam(), {}));
  EXPECT_FALSE(captured_after_three_steps(GetParam(), {.detect_anomaly = true}));
}

TEST(TrainingStep, RunsEagerlyOnCpu) { EXPECT_FALSE(captured_after_three_steps(Device::cpu, {})); }

// Weighs its loss by a number that the host reads from it.
class ReadsItsLoss : public Model {
 public:
  Parameter weight{{1}, {Init::Kind::constant, 2}};
  void visit(Visitor& v) override { v("weight", weight); }
  std::string architecture() const override { return "reads_its_loss"; }
  Options options() const override { return {}; }
  int channels() const override { return 1; }
  int size_multiple() const override { return 1; }
  std::map<std::string, InputSpec> loss_inputs(int64_t, int64_t, int64_t) const override {
    return {};
  }
  Loss loss(Tape& tape, const Batch& batch) override {
    const Var misses = mse(parameter(tape, weight), tape.constant(batch.at("image")));
    return {scale(misses, misses.value().item() > 1 ? 2 : 1)};
  }
  std::map<std::string, Tensor> raw_outputs(const Tensor&) override { return {}; }
  std::vector<Tensor> detect_on_device(const Tensor&, const DetectOptions&) override { return {}; }
  std::vector<Keypoints> keypoints_from(const std::vector<Tensor>&, const Shape&) const override {
    return {};
  }
};

TEST_P(CapturedStep, ALossThatTheHostReadsIsRefusedByTheNameOfItsOp) {
  ReadsItsLoss model;
  Parameters parameters(model, GetParam());
  parameters.initialize(1);
  Optimizer optimizer({}, parameters);
  TrainingStep step(model, parameters, optimizer);
  const Batch batch{{"image", Tensor::full({1}, 0.5)}};
  for (int i = 0; i < 2; ++i) step.run(batch, 1e-3);
  const Error e = caught([&] { step.run(batch, 1e-3); });
  EXPECT_EQ(e.where, "after mse");
  EXPECT_EQ(e.wrong, text("4 bytes are copied to cpu while work on ", GetParam(), " is captured"));
}

}  // namespace
}  // namespace cairn
