// Two convolutions without the map between them.
#include "kernels/conv/conv2d_pair.h"

#include <gtest/gtest.h>

#include "kernels/isa.h"
#include "runtime/autotuner.h"
#include "tests/kernels/normal_tensors.h"

namespace cairn {
namespace {

struct Pair {
  Tensor x = normal({2, 30, 41, 1}, 1), w1 = normal({64, 3, 3, 1}, 2, 0.3), b1 = normal({64}, 3);
  Tensor w2 = normal({64, 3, 3, 64}, 4, 0.04), b2 = normal({64}, 5);
  ConvStep first{w1, {.padding = 1}, {&b1, Activation::relu}};
  ConvStep second{w2, {.padding = 1}, {&b2, Activation::relu, 0, true}};

  void move_to(Device d) {
    for (Tensor* t : {&x, &w1, &b1, &w2, &b2}) *t = t->to(d);
  }
  Tensor empty_output(DType type) const {
    return Tensor::empty(conv_step_shape(conv_step_shape(x.shape(), first), second), type);
  }
  Tensor fused() const {
    Tensor y = empty_output(DType::f32);
    conv2d_pair(x, first, second, y);
    return y;
  }
  Tensor one_by_one() const {
    Tensor whole = Tensor::empty(conv_step_shape(x.shape(), first)), y = empty_output(DType::f32);
    conv2d(x, w1, first.options, first.epilogue, whole);
    conv2d(whole, w2, second.options, second.epilogue, y);
    return y;
  }
};

TEST(Conv2dPair, HasTheBitsOfTheTwoConvolutionsWithEveryInstructionSet) {
  const Pair pair;
  for (Isa level : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    use_isa(level);
    EXPECT_EQ(pair.fused().values<float>(), pair.one_by_one().values<float>()) << int(level);
  }
  use_isa(Isa::avx512);
}

class Conv2dPairOn : public testing::TestWithParam<Device> {};

TEST_P(Conv2dPairOn, NeverHoldsTheMapBetween) {
  const Device d = GetParam();
  if (!why_unavailable(d).empty()) GTEST_SKIP() << why_unavailable(d);
  const int64_t side = d == Device::simt ? 64 : 256;
  Pair pair;
  pair.move_to(d);
  pair.x = normal({1, side, side, 1}, 1).to(d);
  Tensor y = pair.empty_output(DType::f32).to(d);
  if (d != Device::cpu) autotuner(d).force("one kernel");
  Memory& pool = memory(d);
  pool.reset_peak();
  const size_t before = pool.use().in_use;
  conv2d_pair(pair.x, pair.first, pair.second, y);
  EXPECT_LT(pool.use().peak - before, size_t(side * side) * 64 * 4 / 4);
  if (d != Device::cpu) autotuner(d).force("");
}

TEST(Conv2dPair, OnAGpuIsOneKernelWhereThatIsMeasuredToBeFaster) {
  if (!why_unavailable(Device::simt).empty()) GTEST_SKIP() << why_unavailable(Device::simt);
  Autotuner& tuner = autotuner(Device::simt);
  Pair pair;
  const Tensor want = pair.one_by_one();
  pair.move_to(Device::simt);
  Tensor y = pair.empty_output(DType::f32).to(Device::simt);
  tuner.set_measuring(true);
  conv2d_pair(pair.x, pair.first, pair.second, y);
  tuner.set_measuring(false);
  EXPECT_LT(relative_error(y, want), 1e-5);
  const auto choices = tuner.choices();
  const auto whole = choices.find("conv2d_pair f32 x[2,30,41,1] w[64,3,3,1] padding 1 bias relu");
  ASSERT_NE(whole, choices.end());
  EXPECT_GT(whole->second.ms, 0);
  // Its two convolutions were chosen for before.
  EXPECT_TRUE(choices.contains("conv2d f32 x[2,30,41,64] w[64,3,3,64] padding 1 bias relu pool2"));
}

INSTANTIATE_TEST_SUITE_P(Devices, Conv2dPairOn,
                         testing::Values(Device::cpu, Device::simt, Device::cuda),
                         [](const auto& test) { return std::string(name(test.param)); });

}  // namespace
}  // namespace cairn
