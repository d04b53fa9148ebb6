// Convolutions on Hopper's tensor cores, on a GPU or emulated: layers that are larger than a
// conformance row's, and what is left to other kernels.
#include <gtest/gtest.h>

#include "kernels/conv/conv2d.h"
#include "runtime/autotuner.h"
#include "runtime/cuda.h"
#include "tests/kernels/normal_tensors.h"

namespace cairn {
namespace {

class ConvByWarpgroups : public testing::TestWithParam<Device> {
 protected:
  void SetUp() override {
    if (!why_unavailable(GetParam()).empty()) GTEST_SKIP() << why_unavailable(GetParam());
    if constexpr (build::has_cuda)
      if (GetParam() == Device::cuda && cuda::architecture() != 90) GTEST_SKIP() << "no Hopper";
  }
  void TearDown() override { tuner().force(""); }
  static Autotuner& tuner() { return autotuner(GetParam()); }
  static Tensor rounded(const Shape& shape, uint64_t seed, double deviation = 1) {
    return normal(shape, seed, deviation).to(DType::bf16);
  }

  // The largest error beside the same convolution in float64, over the largest output.
  static double forward_error(const Shape& xs, int64_t outputs, Activation act, bool pool2) {
    const Tensor x = rounded(xs, 1), w = rounded({outputs, 3, 3, xs[3]}, 2, 0.05),
                 bias = rounded({outputs}, 3);
    const int64_t shrink = pool2 ? 2 : 1;
    const Shape ys{xs[0], xs[1] / shrink, xs[2] / shrink, outputs};
    const auto computed = [&](Device d, DType type) {
      const Tensor b = bias.to(type).to(d);
      Tensor y = Tensor::empty(ys, type, d);
      conv2d(x.to(type).to(d), w.to(type).to(d), {.padding = 1}, {&b, act, 0.1f, pool2}, y);
      return y.to(Device::cpu);
    };
    const Tensor got = computed(GetParam(), DType::bf16);
    return relative_error(got.to(DType::f64), computed(Device::cpu, DType::f64));
  }
};

TEST_P(ConvByWarpgroups, GoFromTileToTileAndStepToStep) {
  for (const char* tile : {"wgmma 16x16", "wgmma 16x32"}) {
    tuner().force(tile);
    SCOPED_TRACE(tile);
    EXPECT_LT(forward_error({2, 35, 50, 96}, 128, Activation::relu, false), 1.0 / 256);
    EXPECT_LT(forward_error({1, 64, 48, 64}, 64, Activation::none, false), 1.0 / 256);
    EXPECT_LT(forward_error({1, 35, 51, 64}, 64, Activation::leaky_relu, true), 1.0 / 256);
    EXPECT_EQ(tuner().forced(), 3);
  }
}

TEST_P(ConvByWarpgroups, GiveTheGradientOfTheInput) {
  const Tensor dy = rounded({2, 21, 34, 64}, 1), w = rounded({64, 3, 3, 128}, 2, 0.05);
  Tensor want = Tensor::empty({2, 21, 34, 128}, DType::f64);
  conv2d_backward_data(dy.to(DType::f64), w.to(DType::f64), {.padding = 1}, want);
  for (const char* tile : {"wgmma 16x16", "wgmma 16x32"}) {
    tuner().force(tile);
    Tensor dx = Tensor::empty(want.shape(), DType::bf16, GetParam());
    conv2d_backward_data(dy.to(GetParam()), w.to(GetParam()), {.padding = 1}, dx);
    EXPECT_LT(relative_error(dx.to(Device::cpu).to(DType::f64), want), 1.0 / 256) << tile;
    EXPECT_EQ(tuner().forced(), 1) << tile;
  }
}

TEST_P(ConvByWarpgroups, AreNotOfferedForOtherLayers) {
  tuner().force("wgmma");
  const auto asked = [&](const Shape& xs, const Shape& ws, const Conv2dOptions& o, DType type) {
    const Tensor x = normal(xs, 1).to(type).to(GetParam()),
                 w = normal(ws, 2).to(type).to(GetParam());
    Tensor y = x.empty_like(
        {xs[0], conv2d_output_size(xs[1], ws[1], o), conv2d_output_size(xs[2], ws[2], o), ws[0]});
    const int before = tuner().forced();
    conv2d(x, w, o, {}, y);
    return tuner().forced() > before;
  };
  const Shape x{1, 9, 10, 64}, w{64, 3, 3, 64};
  EXPECT_TRUE(asked(x, w, {.padding = 1}, DType::bf16));
  EXPECT_FALSE(asked(x, w, {.padding = 1}, DType::f32));
  EXPECT_FALSE(asked(x, w, {}, DType::bf16));
  EXPECT_FALSE(asked(x, w, {.stride = 2, .padding = 1}, DType::bf16));
  EXPECT_FALSE(asked({1, 9, 10, 48}, {64, 3, 3, 48}, {.padding = 1}, DType::bf16));
  EXPECT_FALSE(asked(x, {72, 3, 3, 64}, {.padding = 1}, DType::bf16));
  EXPECT_FALSE(asked(x, {64, 3, 3, 32}, {.padding = 1, .groups = 2}, DType::bf16));
}

INSTANTIATE_TEST_SUITE_P(Devices, ConvByWarpgroups, testing::Values(Device::simt, Device::cuda),
                         [](const auto& test) { return std::string(name(test.param)); });

}  // namespace
}  // namespace cairn
