// Products of float32 tensors in TF32: both factors rounded, the sum in float32. The residual
// block's are in residual_block_test.cpp.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/conv/conv2d_pair.h"
#include "kernels/gemm/gemm.h"
#include "runtime/arithmetic.h"
#include "runtime/random.h"
#include "runtime/tensor.h"
#include "tests/kernels/tf32_rounded.h"

namespace cairn {
namespace {

Tensor random(const Shape& shape, uint64_t seed) {
  Tensor t = Tensor::empty(shape);
  Random r(seed);
  for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(r.uniform(-1, 1));
  return t;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = a.to(Device::cpu).to(DType::f64).values<double>(),
                            y = b.to(DType::f64).values<double>();
  double largest = 0;
  for (size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
  return largest;
}

class Tf32 : public testing::TestWithParam<Device> {
 protected:
  void SetUp() override {
    if (!why_unavailable(GetParam()).empty()) GTEST_SKIP() << why_unavailable(GetParam());
    set_tf32_products(true);
  }
  void TearDown() override { set_tf32_products(false); }
  // Libraries may round the factors otherwise: half a unit of the tenth bit on top.
  static double bound(double own) { return GetParam() == Device::cuda ? own + 1e-3 : own; }
};

TEST_P(Tf32, AProductIsThatOfTheRoundedFactors) {
  struct Case {
    int64_t m, n, k;
    bool transpose_a, transpose_b;
  };
  for (const Case& c : {Case{132, 68, 40, false, false}, Case{36, 132, 72, false, true},
                        Case{68, 36, 520, true, false}, Case{260, 260, 100, false, false},
                        Case{132, 140, 1100, true, false}, Case{4, 4, 4, false, true}}) {
    const Tensor a = random(c.transpose_a ? Shape{c.k, c.m} : Shape{c.m, c.k}, 1),
                 b = random(c.transpose_b ? Shape{c.n, c.k} : Shape{c.k, c.n}, 2);
    Tensor want = Tensor::empty({c.m, c.n}, DType::f64), exact = want.clone(),
           got = Tensor::empty({c.m, c.n}, DType::f32, GetParam());
    gemm(tf32_rounded(a), c.transpose_a, tf32_rounded(b), c.transpose_b, want);
    gemm(a.to(DType::f64), c.transpose_a, b.to(DType::f64), c.transpose_b, exact);
    gemm(a.to(GetParam()), c.transpose_a, b.to(GetParam()), c.transpose_b, got);
    const double error = largest_difference(got, want);
    EXPECT_LT(error, bound(1e-6) * std::sqrt(double(c.k)) + 1e-6)
        << c.m << ' ' << c.n << ' ' << c.k;
    EXPECT_GT(largest_difference(got, exact), 1e-5) << "the factors were not rounded";
  }
}

TEST_P(Tf32, AConvolutionAndItsGradientsAreThoseOfTheRoundedTensors) {
  const Conv2dOptions o{.stride = 1, .padding = 1, .dilation = 1, .groups = 1};
  const Tensor x = random({2, 13, 12, 36}, 1), w = random({40, 3, 3, 36}, 2),
               dy = random({2, 13, 12, 40}, 3);
  Tensor y = Tensor::empty(dy.shape(), DType::f64), dx = Tensor::empty(x.shape(), DType::f64),
         dw = Tensor::empty(w.shape(), DType::f64);
  conv2d(tf32_rounded(x), tf32_rounded(w), o, {}, y);
  conv2d_backward_data(tf32_rounded(dy), tf32_rounded(w), o, dx);
  conv2d_backward_weights(tf32_rounded(x), tf32_rounded(dy), o, dw, nullptr);
  const Device d = GetParam();
  Tensor y_got = Tensor::empty(y.shape(), DType::f32, d),
         dx_got = Tensor::empty(x.shape(), DType::f32, d),
         dw_got = Tensor::empty(w.shape(), DType::f32, d);
  conv2d(x.to(d), w.to(d), o, {}, y_got);
  conv2d_backward_data(dy.to(d), w.to(d), o, dx_got);
  conv2d_backward_weights(x.to(d), dy.to(d), o, dw_got, nullptr);
  EXPECT_LT(largest_difference(y_got, y), bound(3e-5));
  EXPECT_LT(largest_difference(dx_got, dx), bound(3e-5));
  EXPECT_LT(largest_difference(dw_got, dw), bound(3e-5));
}

// Whole numbers make a map between that is exact in float32 and not in TF32.
TEST_P(Tf32, OfAPairTheMapBetweenAndTheSecondWeightsAreRounded) {
  const auto whole = [](const Shape& shape, uint64_t seed) {
    Tensor t = random(shape, seed);
    for (int64_t i = 0; i < t.count(); ++i)
      t.data<float>()[i] = std::round(64 * t.data<float>()[i]) / 64;
    return t;
  };
  const Device d = GetParam();
  const Conv2dOptions o{.padding = 1};
  const Epilogue relu{.act = Activation::relu}, pooled{.act = Activation::relu, .pool2 = true};
  for (const int64_t channels : {1, 3}) {
    const Tensor x = whole({1, 22, 35, channels}, 1), w1 = whole({64, 3, 3, channels}, 2),
                 w2 = random({64, 3, 3, 64}, 3);
    Tensor between = Tensor::empty({1, 22, 35, 64}),
           want = Tensor::empty({1, 11, 17, 64}, DType::f64),
           got = Tensor::empty(want.shape(), DType::f32, d);
    conv2d(x, w1, o, relu, between);
    conv2d(tf32_rounded(between), tf32_rounded(w2), o, pooled, want);
    conv2d_pair(x.to(d), {w1.to(d), o, relu}, {w2.to(d), o, pooled}, got);
    EXPECT_LT(largest_difference(got, want), 1e-4) << channels;
  }
}

TEST_P(Tf32, RowsThatAreNoWholeRunsStayInFloat32) {
  const Tensor a = random({33, 35}, 1), b = random({35, 38}, 2);
  Tensor want = Tensor::empty({33, 38}, DType::f64),
         got = Tensor::empty({33, 38}, DType::f32, GetParam());
  gemm(a.to(DType::f64), false, b.to(DType::f64), false, want);
  gemm(a.to(GetParam()), false, b.to(GetParam()), false, got);
  EXPECT_LT(largest_difference(got, want), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Devices, Tf32, testing::Values(Device::simt, Device::cuda),
                         [](const auto& test) { return std::string(name(test.param)); });

TEST(Tf32OnACpu, ChangesNothing) {
  const Tensor a = random({32, 32}, 1), b = random({32, 32}, 2);
  Tensor before = Tensor::empty({32, 32}), after = before.clone();
  gemm(a, false, b, false, before);
  set_tf32_products(true);
  gemm(a, false, b, false, after);
  set_tf32_products(false);
  EXPECT_EQ(before.values<float>(), after.values<float>());
}

}  // namespace
}  // namespace cairn
