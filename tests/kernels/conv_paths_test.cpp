// The ways that a convolution or a product can take on the CPU, each against float64.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/conv/conv2d.h"
#include "kernels/gemm/block.h"
#include "kernels/gemm/gemm.h"
#include "kernels/isa.h"
#include "runtime/threads.h"
#include "tests/kernels/normal_tensors.h"

namespace cairn {
namespace {

// Forward and both gradients of one convolution.
std::vector<Tensor> all_directions(const Tensor& x, const Tensor& w, const Tensor& dy,
                                   const Tensor& bias, const Conv2dOptions& o) {
  Tensor y = dy.empty_like(), dx = x.empty_like(), dw = w.empty_like(), dbias = bias.empty_like();
  cpu::conv2d(x, w, o, {&bias, Activation::relu}, y);
  cpu::conv2d_backward_data(dy, w, o, dx);
  cpu::conv2d_backward_weights(x, dy, o, dw, &dbias);
  return {y, dx, dw, dbias};
}

double worst_error(const Shape& xs, const Shape& ws, const Conv2dOptions& o) {
  const Tensor x = normal(xs, 1), bias = normal({ws[0]}, 4);
  const Tensor w = normal(ws, 2, 1 / std::sqrt(double(ws[1] * ws[2] * ws[3])));
  const Tensor dy = normal(
      {xs[0], conv2d_output_size(xs[1], ws[1], o), conv2d_output_size(xs[2], ws[2], o), ws[0]}, 3);
  const auto got = all_directions(x, w, dy, bias, o);
  const auto want =
      all_directions(x.to(DType::f64), w.to(DType::f64), dy.to(DType::f64), bias.to(DType::f64), o);
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) worst = std::max(worst, relative_error(got[i], want[i]));
  return worst;
}

class EveryIsa : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { use_isa(GetParam()); }
  void TearDown() override { use_isa(Isa::avx512); }
};

TEST_P(EveryIsa, ConvolvesAsFloat64Does) {
  EXPECT_LT(worst_error({2, 13, 17, 5}, {7, 3, 3, 5}, {.stride = 2, .padding = 1}), 2e-6);
  EXPECT_LT(worst_error({1, 21, 19, 40}, {72, 3, 3, 40}, {.padding = 2, .dilation = 2}), 2e-6);
  EXPECT_LT(worst_error({2, 14, 18, 32}, {48, 3, 3, 32}, {.padding = 2, .dilation = 2}), 4e-6);
  EXPECT_LT(worst_error({1, 24, 20, 48}, {32, 3, 3, 48}, {.padding = 4, .dilation = 4}), 4e-6);
  EXPECT_LT(worst_error({2, 9, 11, 12}, {18, 3, 3, 4}, {.padding = 1, .groups = 3}), 2e-6);
  EXPECT_LT(worst_error({2, 9, 11, 70}, {70, 3, 3, 1}, {.padding = 1, .groups = 70}), 2e-6);
  EXPECT_LT(worst_error({2, 23, 29, 50}, {65, 1, 1, 50}, {}), 2e-6);
  EXPECT_LT(worst_error({2, 25, 23, 3}, {32, 7, 7, 3}, {.stride = 2, .padding = 3}), 2e-6);
  EXPECT_LT(worst_error({1, 30, 31, 1}, {64, 3, 3, 1}, {.padding = 1}), 2e-6);
}

TEST_P(EveryIsa, MultipliesAsFloat64Does) {
  for (bool ta : {false, true})
    for (bool tb : {false, true}) {
      const Tensor a = normal(ta ? Shape{700, 75} : Shape{75, 700}, 1);
      const Tensor b = normal(tb ? Shape{300, 700} : Shape{700, 300}, 2);
      Tensor c = Tensor::empty({75, 300}), c64 = Tensor::empty({75, 300}, DType::f64);
      cpu::gemm(a, ta, b, tb, c);
      cpu::gemm(a.to(DType::f64), ta, b.to(DType::f64), tb, c64);
      EXPECT_LT(relative_error(c, c64), 2e-6) << ta << tb;
    }
}

std::string name_of(const ::testing::TestParamInfo<Isa>& info) {
  return info.param == Isa::baseline ? "baseline" : info.param == Isa::avx2 ? "avx2" : "avx512";
}

INSTANTIATE_TEST_SUITE_P(ConvPaths, EveryIsa,
                         ::testing::Values(Isa::baseline, Isa::avx2, Isa::avx512), name_of);

TEST(ConvPaths, OutputsWrittenPastTheCachesAreWhole) {
  const Shape y{1, 363, 365, 64};
  ASSERT_TRUE(too_large_to_cache(size_t(y.count()) * 4));
  const auto forward_error = [&](int64_t kernel, int64_t channels) {
    const Tensor x = normal({1, 363, 365, channels}, 1);
    const Tensor w = normal({64, kernel, kernel, channels}, 2, 0.1);
    const Conv2dOptions o{.padding = int(kernel / 2)};
    Tensor got = Tensor::empty(y), want = Tensor::empty(y, DType::f64);
    cpu::conv2d(x, w, o, {}, got);
    cpu::conv2d(x.to(DType::f64), w.to(DType::f64), o, {}, want);
    return relative_error(got, want);
  };
  EXPECT_LT(forward_error(3, 1), 1e-6);   // gathered
  EXPECT_LT(forward_error(1, 8), 1e-6);   // pixel by pixel
  EXPECT_LT(forward_error(3, 32), 4e-6);  // Winograd
}

TEST(ConvPaths, BitsDoNotDependOnTheThreadCount) {
  const Tensor x = normal({3, 30, 36, 48}, 1), w = normal({64, 3, 3, 48}, 2);
  const Tensor dy = normal({3, 30, 36, 64}, 3), bias = normal({64}, 4);
  for (const Conv2dOptions& o :
       {Conv2dOptions{.padding = 1}, Conv2dOptions{.padding = 2, .dilation = 2},
        Conv2dOptions{.padding = 4, .dilation = 4}}) {
    set_thread_count(1);
    const auto one = all_directions(x, w, dy, bias, o);
    set_thread_count(3);
    const auto three = all_directions(x, w, dy, bias, o);
    set_thread_count(0);
    for (size_t i = 0; i < one.size(); ++i)
      EXPECT_EQ(one[i].values<float>(), three[i].values<float>()) << i;
  }
}

}  // namespace
}  // namespace cairn
