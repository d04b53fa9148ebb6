#include "training/exact_statistics.h"

#include <gtest/gtest.h>

#include "runtime/error.h"

namespace cairn {
namespace {

// A network that is nothing but a norm of its image.
class OnlyANorm : public Model {
 public:
  explicit OnlyANorm(double momentum) : norm(2, {.momentum = momentum}) {}
  void visit(Visitor& v) override { v("bn", norm); }
  std::string architecture() const override { return "only_a_norm"; }
  Options options() const override { return {}; }
  int channels() const override { return 2; }
  int size_multiple() const override { return 1; }
  std::map<std::string, InputSpec> loss_inputs(int64_t, int64_t, int64_t) const override {
    return {};
  }
  Loss loss(Tape& tape, const Batch& batch) override {
    return {norm(tape.constant(batch.at("image")))};
  }
  std::map<std::string, Tensor> raw_outputs(const Tensor&) override { return {}; }
  std::vector<Tensor> detect_on_device(const Tensor&, const DetectOptions&) override { return {}; }
  std::vector<Keypoints> keypoints_from(const std::vector<Tensor>&, const Shape&) const override {
    return {};
  }

  BatchNorm2d norm;
};

// Batch i of three pixels: (i, 1), (i + 1, 1), (i + 5, 1).
class Pixels : public BatchSource {
 public:
  Batch next() override {
    const float i = float(number_++);
    return {{"image", Tensor::from<float>({1, 1, 3, 2}, {i, 1, i + 1, 1, i + 5, 1})}};
  }

 private:
  int number_ = 0;
};

TEST(ExactStatistics, AreThoseOfAllBatchesAndThenTheRunsAgain) {
  OnlyANorm model(0.3);
  const Parameters parameters(model, Device::cpu);
  model.norm.running_mean.copy_from(Tensor::from<float>({2}, {7, 8}));
  model.norm.running_var.copy_from(Tensor::from<float>({2}, {5, 6}));
  Pixels source;
  {
    const ExactStatistics exact(model, source, 4, Device::cpu);
    const auto mean = model.norm.running_mean.values<float>(),
               var = model.norm.running_var.values<float>();
    EXPECT_NEAR(mean[0], 2 + 1.5, 1e-5);        // means 2, 3, 4, 5
    EXPECT_NEAR(var[0], 14 / 2. + 1.25, 1e-5);  // 7 within each batch, 1.25 between them
    EXPECT_NEAR(mean[1], 1, 1e-6);
    EXPECT_NEAR(var[1], 0, 1e-5);
  }
  EXPECT_EQ(model.norm.running_mean.values<float>(), (std::vector<float>{7, 8}));
  EXPECT_EQ(model.norm.running_var.values<float>(), (std::vector<float>{5, 6}));
}

TEST(ExactStatistics, AFrozenNormKeepsItsOwn) {
  OnlyANorm model(0);
  const Parameters parameters(model, Device::cpu);
  model.norm.running_mean.copy_from(Tensor::from<float>({2}, {7, 8}));
  Pixels source;
  const ExactStatistics exact(model, source, 4, Device::cpu);
  EXPECT_EQ(model.norm.running_mean.values<float>(), (std::vector<float>{7, 8}));
}

}  // namespace
}  // namespace cairn
