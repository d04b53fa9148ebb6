#include "layers/prepared_weights.h"

#include <gtest/gtest.h>

#include "kernels/elementwise/cast.h"
#include "layers/modules.h"

namespace cairn {
namespace {

struct Net : Module {
  Conv2d conv1{1, 32, 3, {.padding = 1}}, conv2{32, 32, 3, {.padding = 1}};
  BatchNorm2d norm1{32}, norm2{32};
  void visit(Visitor& v) override {
    v("conv1", conv1);
    v("norm1", norm1);
    v("conv2", conv2);
    v("norm2", norm2);
  }
};

TEST(InferenceWeights, AreMadeOnceWhileTheyAreInUse) {
  Net net;
  Parameters parameters(net, Device::cpu);
  parameters.initialize(1);
  const auto first_weight = [&] {
    return fold_norm(net.conv1, net.norm1).weight.values<float>().at(0);
  };
  const float before = first_weight();
  InferenceWeights weights;
  {
    const InferenceWeights::Use use(weights);
    EXPECT_EQ(first_weight(), before);
    net.norm1.weight.value.data<float>()[0] *= 2;
    EXPECT_EQ(first_weight(), before);
    EXPECT_NE(fold_norm(net.conv2, net.norm2).bias.raw(),
              fold_norm(net.conv1, net.norm1).bias.raw());
  }
  EXPECT_EQ(first_weight(), 2 * before);
  const Tensor w = net.conv1.weight.value;
  EXPECT_NE(weight_as(w, DType::bf16).raw(), weight_as(w, DType::bf16).raw());
  const InferenceWeights::Use use(weights);
  EXPECT_EQ(first_weight(), before);
  EXPECT_EQ(weight_as(w, DType::bf16).raw(), weight_as(w, DType::bf16).raw());
  EXPECT_EQ(weight_as(w, DType::bf16).to(DType::f32).values<float>(),
            as_type(w, DType::bf16).to(DType::f32).values<float>());
  EXPECT_EQ(weight_as(w, DType::f32).raw(), w.raw());
}

TEST(RoundedParameters, AreViewsOfOneTensorWhileItLives) {
  Net net;
  Parameters parameters(net, Device::cpu);
  parameters.initialize(1);
  const Tensor &w = net.conv2.weight.value, &b = net.conv2.bias.value;
  const Tensor other = Tensor::full({3}, 1.0 / 3);
  const auto rounded = [](const Tensor& t) {
    return as_type(t, DType::bf16).to(DType::f32).values<float>();
  };
  Tensor kept;
  {
    const RoundedParameters step(parameters.values());
    kept = weight_as(w, DType::bf16);
    EXPECT_EQ(weight_as(w, DType::bf16).raw(), kept.raw());
    EXPECT_EQ(kept.shape(), w.shape());
    EXPECT_EQ(weight_as(b, DType::bf16).to(DType::f32).values<float>(), rounded(b));
    EXPECT_EQ(weight_as(other, DType::bf16).to(DType::f32).values<float>(), rounded(other));
    EXPECT_EQ(weight_as(w, DType::f32).raw(), w.raw());
    const RoundedParameters inner(parameters.values());
    EXPECT_NE(weight_as(w, DType::bf16).raw(), kept.raw());
  }
  EXPECT_EQ(kept.to(DType::f32).values<float>(), rounded(w));  // a backward may still read it
  EXPECT_NE(weight_as(w, DType::bf16).raw(), weight_as(w, DType::bf16).raw());
}

}  // namespace
}  // namespace cairn
