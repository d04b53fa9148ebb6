// Training with bf16 activations beside training in float32.
#include <gtest/gtest.h>

#include <cmath>

#include "layers/functions_elementwise.h"
#include "models/codecs/codec.h"
#include "runtime/profile.h"
#include "runtime/safetensors.h"
#include "tests/caught.h"
#include "tests/temporary_folder.h"
#include "training/checkpoint.h"
#include "training/noise_batch.h"
#include "training/training_step.h"

namespace cairn {
namespace {

constexpr int64_t side = 32, cells = side / 8;

std::vector<Device> devices() {
  std::vector<Device> found = available_devices();
  std::erase(found, Device::cpu);
  return found;
}

struct System {
  std::string name, model;
  Options options, loss;
  double lr = 1e-4;
};

struct Training {
  std::unique_ptr<Model> model;
  Parameters parameters;
  Optimizer optimizer;
  TrainingStep step;

  Training(const System& s, Device device, DType activations)
      : model(make_model(s.model, s.options)),
        parameters(*model, device),
        optimizer({}, parameters),
        step(*model, parameters, optimizer, {.activations = activations}) {
    model->set_loss_options(s.loss);
    parameters.initialize(1);
  }
};

// A checkerboard and its corners, as the `i`-th of several.
void draw_board(int64_t i, Tensor image, Tensor label) {
  const int64_t field = 10 + i, channels = image.dim(3);
  for (int64_t r = 0; r < side; ++r)
    for (int64_t c = 0; c < side; ++c) {
      const int64_t y = r + 3, x = c + 5 * i;
      std::fill_n(image.data<float>() + (r * side + c) * channels, channels,
                  (y / field + x / field) % 2 ? 0.8f : 0.1f);
      if (y % field == 0 && x % field == 0)
        label.data<int32_t>()[r / 8 * cells + c / 8] = int32_t(r % 8 * 8 + c % 8);
    }
}

Batch boards(int64_t n, int64_t channels) {
  Batch batch{{"image", Tensor::empty({n, side, side, channels})},
              {"label", Tensor::full({n, cells, cells}, 64, DType::i32)},
              {"valid", Tensor::full({n, cells, cells}, 1, DType::u8)}};
  for (int64_t i = 0; i < n; ++i)
    draw_board(i, batch.at("image").rows(i, i + 1), batch.at("label").rows(i, i + 1));
  return batch;
}

constexpr float centres[2][2] = {{9, 12}, {20, 22}};

// Two dark images, and in each a bright square about its one point.
Tensor squares(const Model& model) {
  Tensor image = Tensor::full({2, side, side, model.channels()}, 0.1);
  float* p = image.data<float>();
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t y = 0; y < side; ++y)
      for (int64_t x = 0; x < side; ++x)
        for (int64_t c = 0; c < model.channels(); ++c, ++p) {
          const auto& at = centres[n];
          if (std::abs(float(x) - at[0]) < 4 && std::abs(float(y) - at[1]) < 4) *p = 0.8f;
        }
  return image;
}

// The points that lie there, or warps that say what moves with them.
Batch about_squares(const Model& model) {
  if (!model.codec()) return noise_batch(model, 2, side, side, 1);
  Tensor points = Tensor::empty({2, 1, 1, 2});
  std::copy_n(centres[0], 4, points.data<float>());
  return model.codec()->encode(points, Tensor::full({2, 1, 1}, 2, DType::u8), {side, side});
}

// What the model learns from: squares, two boards, or a board and itself.
Batch batch_for(const Model& model) {
  if (model.skeleton()) {
    Batch batch = about_squares(model);
    batch["image"] = squares(model);
    return batch;
  }
  if (!model.loss_inputs(1, side, side).count("homography")) return boards(2, model.channels());
  Batch pair = boards(1, model.channels());
  for (auto& [name, t] : pair) t = stacked(t, t);
  pair["homography"] = Tensor::from<float>({1, 9}, {1, 0, 0, 0, 1, 0, 0, 0, 1});
  return pair;
}

System hourglass(const std::string& block, const std::string& stem, const std::string& codec,
                 int channels, double lr) {
  return {text("stacked_hourglass_", block, "_", stem, "_", codec),
          "stacked_hourglass",
          {{"features", "32"},
           {"joints", "1"},
           {"depth", "1"},
           {"block", block},
           {"stem", stem},
           {"codec", codec},
           {"channels", std::to_string(channels)}},
          {},
          lr};
}

class Bf16Training : public testing::TestWithParam<std::tuple<System, Device>> {
 protected:
  static Training make(DType activations) {
    return {std::get<0>(GetParam()), std::get<1>(GetParam()), activations};
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Bf16Training);
INSTANTIATE_TEST_SUITE_P(
    Systems, Bf16Training,
    testing::Combine(
        testing::Values(System{"magicpoint", "magicpoint", {{"norm", "none"}}, {}},
                        System{"magicpoint_pre", "magicpoint", {{"norm", "pre"}}, {}},
                        System{"magicpoint_post", "magicpoint", {{"norm", "post"}}, {}},
                        System{"superpoint", "superpoint", {{"norm", "pre"}}, {{"form", "sparse"}}},
                        System{"superpoint_mnv2", "superpoint-mnv2", {}, {{"form", "sparse"}}},
                        hourglass("bottleneck", "full", "heatmap", 3, 7e-4),
                        hourglass("bottleneck", "light", "coordinates", 1, 3e-4),
                        hourglass("hierarchical", "full", "heatmap", 3, 7e-4),
                        System{"landmark_autoencoder",
                               "landmark_autoencoder",
                               {{"size", "mini"}, {"landmarks", "3"}},
                               {},
                               1e-3}),
        testing::ValuesIn(devices())),
    [](const auto& info) {
      return std::get<0>(info.param).name + "_" + name(std::get<1>(info.param));
    });

// Within a percent, while both fall. Each rounding is 2^-9; ten layers of them, forty in the
// hourglasses, move the losses of weights that are the same by a thousandth, and Adam's first
// steps, whose size does not depend on the gradients', by a few.
TEST_P(Bf16Training, TheFirstLossesFollowThoseOfFloat32) {
  Training exact = make(DType::f32), rounded = make(DType::bf16);
  const Batch batch = batch_for(*exact.model);
  const double lr = std::get<0>(GetParam()).lr;
  double first = 0, last = 0;
  for (int i = 0; i < 5; ++i) {
    last = exact.step.run(batch, lr).loss.item();
    const double got = rounded.step.run(batch, lr).loss.item();
    if (i == 0) first = last;
    EXPECT_NEAR(got, last, 0.01 * last) << i;
    EXPECT_NE(got, last) << i;
  }
  EXPECT_LT(last, 0.8 * first);
}

TEST_P(Bf16Training, WhatIsKeptIsFloat32) {
  Training t = make(DType::bf16);
  const StepResult& done = t.step.run(batch_for(*t.model), 1e-3);
  EXPECT_EQ(done.loss.dtype(), DType::f32);
  for (const auto& [name, term] : done.terms) EXPECT_EQ(term.dtype(), DType::f32) << name;
  for (const NamedTensor& n : named_tensors(*t.model))
    EXPECT_EQ(n.tensor->dtype(), DType::f32) << n.name;
  const TemporaryFolder folder;
  save_checkpoint(folder / "c.safetensors", *t.model, t.optimizer, nullptr, {1, 0});
  for (const auto& [name, tensor] : read_safetensors(folder / "c.safetensors").tensors)
    EXPECT_NE(tensor.dtype(), DType::bf16) << name;
  // Nor is it rounded on its way: of floats, few are bf16 by chance.
  for (const Tensor* of : {&t.parameters.grads(), &t.parameters.values()}) {
    int64_t all = 0, rounded = 0;
    for (const float v : of->values<float>()) {
      all += v != 0;
      rounded += v != 0 && float(bf16(v)) == v;
    }
    EXPECT_LT(double(rounded), 0.05 * double(all));
  }
}

std::string refusal(const std::string& model, Device device) {
  return error_of([&] { Training({"", model, {}, {}}, device, DType::bf16); });
}

// What is left are the image and a few maps: nothing for each layer.
TEST_P(Bf16Training, ParametersAreRoundedByOneLaunch) {
  const TemporaryFolder folder;
  Training t = make(DType::bf16);
  const Batch batch = batch_for(*t.model);
  Profile profile(folder / "trace.json");
  profile.start(std::get<1>(GetParam()));
  t.step.run(batch, 0);
  profile.finish();
  int64_t casts = 0;
  for (const auto& row : profile.summary().ops)
    if (row.name == "cast") casts += row.calls;
  EXPECT_GE(casts, 2);
  EXPECT_LE(casts, 16);
}

TEST(Bf16TrainingErrors, OnACpuItIsRefused) {
  EXPECT_EQ(refusal("magicpoint", Device::cpu),
            "precision: no kernel of a cpu trains in bf16\n  expected: cuda or simt with it\n  to "
            "do: train in fp32; bf16 training needs a GPU");
}

TEST(Bf16TrainingErrors, AModelThatDoesNotComputeInBf16IsNamed) {
  for (const Device device : devices())
    EXPECT_EQ(refusal("factorized_embeddings", device),
              text("factorized_embeddings: it does not compute in bf16 on ", device,
                   "\n  expected: float32\n  to do: run it with --precision fp32"));
}

}  // namespace
}  // namespace cairn
