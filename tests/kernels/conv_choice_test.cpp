// A convolution's choice by measurement, on simt. That each algorithm computes it is shown by the
// conformance row, which runs with each of them.
#include <gtest/gtest.h>

#include "kernels/conv/conv2d.h"
#include "runtime/arithmetic.h"
#include "runtime/autotuner.h"
#include "runtime/graph.h"
#include "tests/kernels/normal_tensors.h"
#include "tests/kernels/tf32_rounded.h"

namespace cairn {
namespace {

class ConvChoice : public testing::Test {
 protected:
  void SetUp() override {
    if (!why_unavailable(Device::simt).empty()) GTEST_SKIP() << why_unavailable(Device::simt);
    tuner().set_measuring(true);
  }
  void TearDown() override {
    tuner().set_measuring(false);
    tuner().force("");
    set_tf32_products(false);
  }
  static Autotuner& tuner() { return autotuner(Device::simt); }

  // Of a 3x3 kernel with padding 1 and a bias; x and w in simt's memory.
  static Tensor convolved(const Tensor& x, const Tensor& w, const Tensor& bias) {
    Tensor y = x.empty_like({x.dim(0), x.dim(1), x.dim(2), w.dim(0)});
    conv2d(x, w, {.padding = 1}, {.bias = &bias, .act = Activation::relu}, y);
    return y;
  }
};

TEST_F(ConvChoice, IsMadeOncePerShapeAndPrecisionAndForEachDirection) {
  const Tensor x = normal({1, 6, 7, 40}, 1).to(Device::simt),
               w = normal({48, 3, 3, 40}, 2).to(Device::simt),
               bias = normal({48}, 3).to(Device::simt);
  const Tensor y = convolved(x, w, bias), again = convolved(x, w, bias);
  EXPECT_EQ(y.values<float>(), again.values<float>());
  Tensor dx = x.empty_like(), dw = w.empty_like();
  conv2d_backward_data(y, w, {.padding = 1}, dx);
  conv2d_backward_weights(x, y, {.padding = 1}, dw, nullptr);
  set_tf32_products(true);
  convolved(x, w, bias);
  const auto choices = tuner().choices();
  for (const char* problem : {"conv2d f32 x[1,6,7,40] w[48,3,3,40] padding 1 bias relu",
                              "conv2d tf32 x[1,6,7,40] w[48,3,3,40] padding 1 bias relu",
                              "conv2d_backward_data f32 x[1,6,7,40] w[48,3,3,40] padding 1",
                              "conv2d_backward_weights f32 x[1,6,7,40] w[48,3,3,40] padding 1"}) {
    ASSERT_TRUE(choices.count(problem)) << problem;
    EXPECT_GT(choices.at(problem).ms, 0) << problem;
    EXPECT_LE(choices.at(problem).ms, choices.at(problem).first_ms) << problem;
    EXPECT_EQ(choices.at(problem).wrong, "none") << problem;
  }
}

TEST_F(ConvChoice, IsNotMadeWhileWorkIsCapturedAndTheProcessKeepsToItsBits) {
  const Tensor x = normal({1, 5, 9, 40}, 1).to(Device::simt),
               w = normal({48, 3, 3, 40}, 2).to(Device::simt),
               bias = normal({48}, 3).to(Device::simt);
  Tensor y;
  Graph graph(Device::simt, [&] { y = convolved(x, w, bias); });
  graph.replay();
  EXPECT_EQ(y.values<float>(), convolved(x, w, bias).values<float>());
  const auto choice =
      tuner().choices().at("conv2d f32 x[1,5,9,40] w[48,3,3,40] padding 1 bias relu");
  EXPECT_EQ(choice.algorithm, "ffma 32x32");
  EXPECT_EQ(choice.ms, 0) << "it was measured";
}

TEST_F(ConvChoice, EachTileForTensorCoresComputesInTf32Too) {
  const Tensor x = normal({2, 13, 12, 36}, 1), w = normal({40, 3, 3, 36}, 2, 0.06),
               bias = normal({40}, 3);
  Tensor want = Tensor::empty({2, 13, 12, 40}, DType::f64);
  const Tensor bias64 = bias.to(DType::f64);
  conv2d(tf32_rounded(x), tf32_rounded(w), {.padding = 1},
         {.bias = &bias64, .act = Activation::relu}, want);
  set_tf32_products(true);
  for (const char* algorithm :
       {"mma 64x64", "mma 128x64", "mma 128x128", "mma 128x64, ", "mma 64x64, "}) {
    tuner().force(algorithm);
    const Tensor got =
        convolved(x.to(Device::simt), w.to(Device::simt), bias.to(Device::simt)).to(Device::cpu);
    EXPECT_LT(relative_error(got, want), 1e-6) << algorithm;
  }
}

}  // namespace
}  // namespace cairn
