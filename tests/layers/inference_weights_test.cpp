#include "layers/inference_weights.h"

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
  EXPECT_NE(inference_weight(w, DType::bf16).raw(), inference_weight(w, DType::bf16).raw());
  const InferenceWeights::Use use(weights);
  EXPECT_EQ(first_weight(), before);
  EXPECT_EQ(inference_weight(w, DType::bf16).raw(), inference_weight(w, DType::bf16).raw());
  EXPECT_EQ(inference_weight(w, DType::bf16).to(DType::f32).values<float>(),
            as_type(w, DType::bf16).to(DType::f32).values<float>());
  EXPECT_EQ(inference_weight(w, DType::f32).raw(), w.raw());
}

}  // namespace
}  // namespace cairn
