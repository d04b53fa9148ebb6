// Two convolutions without the map between them.
#include "kernels/conv/conv2d_pair.h"

#include <gtest/gtest.h>

#include "kernels/isa.h"
#include "tests/kernels/normal_tensors.h"

namespace cairn {
namespace {

struct Pair {
  Tensor x = normal({2, 30, 41, 1}, 1), w1 = normal({64, 3, 3, 1}, 2, 0.3), b1 = normal({64}, 3);
  Tensor w2 = normal({64, 3, 3, 64}, 4, 0.04), b2 = normal({64}, 5);
  ConvStep first{w1, {.padding = 1}, {&b1, Activation::relu}};
  ConvStep second{w2, {.padding = 1}, {&b2, Activation::relu, 0, true}};

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
  for (Tensor* t : {&pair.w1, &pair.b1, &pair.w2, &pair.b2}) *t = t->to(d);
  pair.x = normal({1, side, side, 1}, 1).to(d);
  Tensor y = pair.empty_output(DType::f32).to(d);
  Memory& pool = memory(d);
  pool.reset_peak();
  const size_t before = pool.use().in_use;
  conv2d_pair(pair.x, pair.first, pair.second, y);
  EXPECT_LT(pool.use().peak - before, size_t(side * side) * 64 * 4 / 4);
}

INSTANTIATE_TEST_SUITE_P(Devices, Conv2dPairOn,
                         testing::Values(Device::cpu, Device::simt, Device::cuda),
                         [](const auto& test) { return std::string(name(test.param)); });

}  // namespace
}  // namespace cairn
