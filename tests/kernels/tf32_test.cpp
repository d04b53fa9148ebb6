// Products of float32 tensors in TF32: both factors rounded, the sum in float32; and what is fused
// with them in a residual block.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "kernels/conv/conv2d.h"
#include "kernels/elementwise/add.h"
#include "kernels/gemm/gemm.h"
#include "kernels/residual/residual_block.h"
#include "runtime/arithmetic.h"
#include "runtime/random.h"
#include "runtime/tensor.h"

namespace cairn {
namespace {

Tensor random(const Shape& shape, uint64_t seed) {
  Tensor t = Tensor::empty(shape);
  Random r(seed);
  for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(r.uniform(-1, 1));
  return t;
}

// Ten bits of mantissa, ties away from zero; in float64.
Tensor rounded(const Tensor& x) {
  Tensor y = Tensor::empty(x.shape(), DType::f64);
  for (int64_t i = 0; i < x.count(); ++i) {
    const auto bits = std::bit_cast<uint32_t>(x.data<float>()[i]);
    y.data<double>()[i] = double(std::bit_cast<float>((bits + 0x1000u) & ~0x1fffu));
  }
  return y;
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
    gemm(rounded(a), c.transpose_a, rounded(b), c.transpose_b, want);
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
  conv2d(rounded(x), rounded(w), o, {}, y);
  conv2d_backward_data(rounded(dy), rounded(w), o, dx);
  conv2d_backward_weights(rounded(x), rounded(dy), o, dw, nullptr);
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

TEST_P(Tf32, RowsThatAreNoWholeRunsStayInFloat32) {
  const Tensor a = random({33, 35}, 1), b = random({35, 38}, 2);
  Tensor want = Tensor::empty({33, 38}, DType::f64),
         got = Tensor::empty({33, 38}, DType::f32, GetParam());
  gemm(a.to(DType::f64), false, b.to(DType::f64), false, want);
  gemm(a.to(GetParam()), false, b.to(GetParam()), false, got);
  EXPECT_LT(largest_difference(got, want), 1e-5);
}

// A residual block's tensors on a device, and what it makes of them.
struct Fused {
  ResidualBlock block;
  Tensor x, y, dy;
  ResidualKept kept;
  ResidualGradients to;

  Fused(const Shape& s, int64_t M, int64_t O, Device d) {
    const int64_t in[3] = {s[3], M, M}, out[3] = {M, M, O}, taps[3] = {1, 3, 1};
    for (int i = 0; i < 3; ++i) {
      const uint64_t seed = 10 * uint64_t(i);
      block.step[i] = {random({in[i]}, seed).to(d),
                       random({in[i]}, seed + 1).to(d),
                       random({in[i]}, seed + 2).to(d),
                       Tensor::full({in[i]}, 1).to(d),
                       random({out[i], taps[i], taps[i], in[i]}, seed + 3).to(d),
                       random({out[i]}, seed + 4).to(d)};
      const NormConv& f = block.step[i];
      to.step[i] = {f.gamma.empty_like(), f.beta.empty_like(), f.w.empty_like(),
                    f.bias.empty_like()};
      kept.mean[i] = f.gamma.empty_like();
      kept.invstd[i] = f.gamma.empty_like();
    }
    if (s[3] != O) {
      block.skip_w = random({O, 1, 1, s[3]}, 40).to(d);
      block.skip_bias = random({O}, 41).to(d);
      to.skip_w = block.skip_w.empty_like();
      to.skip_bias = block.skip_bias.empty_like();
    }
    x = random(s, 42).to(d);
    dy = random({s[0], s[1], s[2], O}, 43).to(d);
    y = dy.empty_like();
    to.x = x.empty_like();
    kept.a1 = x.empty_like({s[0], s[1], s[2], M});
    kept.a2 = kept.a1.empty_like();
  }
  void run() {
    residual_block(x, block, Statistics::batch, kept, y);
    residual_block_backward(x, block, Statistics::batch, kept, dy, to);
  }
  Tensor in(int step) const { return step == 0 ? x : step == 1 ? kept.a1 : kept.a2; }
  Tensor out(int step) const { return step == 0 ? kept.a1 : step == 1 ? kept.a2 : y; }
  static Conv2dOptions options(int step) {
    return {.stride = 1, .padding = step == 1 ? 1 : 0, .dilation = 1, .groups = 1};
  }
};

Tensor exact(const Tensor& t) { return t.to(Device::cpu).to(DType::f64); }

// max((x - mean) gamma invstd + beta, 0) in float32, as the products compute it.
Tensor rectified(const Fused& f, int step) {
  Tensor z = f.in(step).to(Device::cpu).clone();
  const NormConv& norm = f.block.step[step];
  const auto gamma = norm.gamma.values<float>(), beta = norm.beta.values<float>(),
             mean = f.kept.mean[step].values<float>(), invstd = f.kept.invstd[step].values<float>();
  for (int64_t i = 0, C = z.dim(3); i < z.count(); ++i) {
    float& v = z.data<float>()[i];
    v = std::max((v - mean[i % C]) * (gamma[i % C] * invstd[i % C]) + beta[i % C], 0.f);
  }
  return z;
}

// The block's gradients of x and of its weights in float64, each factor of a product through
// `factor`; the first activations as the block left them.
template <class Factor>
std::vector<Tensor> composed_gradients(const Fused& f, Factor factor) {
  Tensor d = f.dy.to(Device::cpu), skip = exact(d);
  if (f.block.skip_w.defined()) {
    skip = exact(f.x).empty_like();
    conv2d_backward_data(factor(d), factor(f.block.skip_w.to(Device::cpu)), {}, skip);
  }
  std::vector<Tensor> all;
  for (int i = 2; i >= 0; --i) {
    const NormConv& norm = f.block.step[i];
    const Tensor in = exact(f.in(i)), w = norm.w.to(Device::cpu);
    Tensor dw = exact(w).empty_like(), dz = in.empty_like(), dx = in.empty_like();
    Tensor dgamma = exact(norm.gamma).empty_like(), dbeta = dgamma.empty_like();
    conv2d_backward_weights(factor(rectified(f, i)), factor(d), f.options(i), dw, nullptr);
    conv2d_backward_data(factor(d), factor(w), f.options(i), dz);
    batch_norm_backward(in, dz, exact(norm.gamma), exact(norm.beta), exact(f.kept.mean[i]),
                        exact(f.kept.invstd[i]), Activation::relu, 0, Statistics::batch, &dx,
                        dgamma, dbeta);
    all.insert(all.end(), {dw, dgamma, dbeta});
    d = dx.to(DType::f32);
    if (i == 0) add(dx, skip, dx);
    if (i == 0) all.push_back(dx);
  }
  return all;
}

double root_mean_square(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = exact(a).values<double>(), y = exact(b).values<double>();
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return std::sqrt(sum / double(x.size()));
}

class Tf32Residual : public Tf32 {
 protected:
  static void expect_rounded_factors_forward(const Fused& f) {
    for (int i = 0; i < 3; ++i) {
      const Tensor bias = exact(f.block.step[i].bias);
      Tensor want = exact(f.out(i)).empty_like();
      conv2d(rounded(rectified(f, i)), rounded(f.block.step[i].w.to(Device::cpu)), f.options(i),
             {.bias = &bias}, want);
      if (i == 2) {
        Tensor skip = exact(f.x);
        if (f.block.skip_w.defined()) {
          skip = want.empty_like();
          const Tensor skip_bias = exact(f.block.skip_bias);
          conv2d(rounded(f.x.to(Device::cpu)), rounded(f.block.skip_w.to(Device::cpu)), {},
                 {.bias = &skip_bias}, skip);
        }
        add(want, skip, want);
      }
      EXPECT_LT(largest_difference(f.out(i), want), bound(3e-5)) << "step " << i;
    }
  }
  static void expect_statistics_of_what_was_written(const Fused& f) {
    for (int i = 1; i < 3; ++i) {
      const Tensor a = exact(f.in(i));
      Tensor mean = exact(f.kept.mean[i]).empty_like(), invstd = mean.empty_like(),
             running = Tensor::zeros(mean.shape(), DType::f64), z = a.empty_like();
      batch_norm_training(a, running, running, f.block.options(), running, running, mean, invstd,
                          z);
      EXPECT_LT(largest_difference(f.kept.mean[i], mean), 5e-6);
      EXPECT_LT(largest_difference(f.kept.invstd[i], invstd), 5e-6);
    }
  }
  static void expect_rounded_factors_backward(const Fused& f) {
    const std::vector<Tensor> want = composed_gradients(f, rounded),
                              unrounded = composed_gradients(f, exact);
    const auto& g = f.to.step;
    const Tensor got[] = {g[2].w,    g[2].gamma, g[2].beta,  g[1].w,    g[1].gamma,
                          g[1].beta, g[0].w,     g[0].gamma, g[0].beta, f.to.x};
    EXPECT_LT(largest_difference(got[0], want[0]), bound(3e-6) * std::sqrt(f.y.count()));
    // A sum in float32 that lies near a tie turns the rounding of the next factor.
    const double share = GetParam() == Device::cuda ? 1 : 0.25;
    for (size_t i = 0; i < want.size(); ++i)
      EXPECT_LT(root_mean_square(got[i], want[i]), share * root_mean_square(got[i], unrounded[i]))
          << i;
  }
};

TEST_P(Tf32Residual, IsTheCompositionWithRoundedFactors) {
  for (Fused f : {Fused({2, 13, 12, 36}, 40, 68, GetParam()),   // a skip of its own, cut tiles
                  Fused({1, 9, 15, 72}, 4, 72, GetParam())}) {  // x is the skip
    f.run();
    expect_rounded_factors_forward(f);
    expect_statistics_of_what_was_written(f);
    expect_rounded_factors_backward(f);
    const auto y = f.y.values<float>(), dx = f.to.x.values<float>(),
               dw = f.to.step[1].w.values<float>(), dgamma = f.to.step[0].gamma.values<float>();
    f.run();
    EXPECT_EQ(f.y.values<float>(), y);
    EXPECT_EQ(f.to.x.values<float>(), dx);
    EXPECT_EQ(f.to.step[1].w.values<float>(), dw);
    EXPECT_EQ(f.to.step[0].gamma.values<float>(), dgamma);
  }
}

TEST_P(Tf32Residual, IsTheSameInTheLargeTile) {
  Fused f({1, 128, 128, 8}, 68, 8, GetParam());
  f.run();
  expect_rounded_factors_forward(f);
  expect_statistics_of_what_was_written(f);
  expect_rounded_factors_backward(f);
}

INSTANTIATE_TEST_SUITE_P(Devices, Tf32Residual, testing::Values(Device::simt, Device::cuda),
                         [](const auto& test) { return std::string(name(test.param)); });
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
