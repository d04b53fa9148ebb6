// The residual block on tensor cores, in TF32 and in bf16: the composition of its parts, with each
// factor of a product, and in bf16 each activation and its gradient, rounded.
#include "kernels/residual/residual_block.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/conv/conv2d.h"
#include "kernels/elementwise/add.h"
#include "runtime/arithmetic.h"
#include "runtime/autotuner.h"
#include "tests/kernels/normal_tensors.h"
#include "tests/kernels/tf32_rounded.h"

namespace cairn {
namespace {

Tensor exact(const Tensor& t) { return t.to(Device::cpu).to(DType::f64); }

// How products and activations are rounded; both take and give float64 on cpu.
struct Rounding {
  Tensor (*factor)(const Tensor&);
  Tensor (*stored)(const Tensor&);
};
const Rounding none{exact, exact};
const Rounding tf32{[](const Tensor& t) { return tf32_rounded(t.to(DType::f32)); },
                    [](const Tensor& t) { return t.to(DType::f32).to(DType::f64); }};
const Rounding to_bf16{[](const Tensor& t) { return t.to(DType::bf16).to(DType::f64); },
                       [](const Tensor& t) { return t.to(DType::bf16).to(DType::f64); }};

Conv2dOptions options(int step) {
  return {.stride = 1, .padding = step == 1 ? 1 : 0, .dilation = 1, .groups = 1};
}

// A block's tensors on a device, activations of a type, and what it makes of them.
struct Ran {
  ResidualBlock block;
  Tensor x, y, dy;
  ResidualKept kept;
  ResidualGradients to;

  Ran(const Shape& s, int64_t M, int64_t O, Device d, DType type) {
    const int64_t in[3] = {s[3], M, M}, out[3] = {M, M, O}, taps[3] = {1, 3, 1};
    for (int i = 0; i < 3; ++i) {
      const uint64_t seed = 10 * uint64_t(i);
      const double scale = 1 / std::sqrt(double(taps[i] * taps[i] * in[i]));
      block.step[i] = {normal({in[i]}, seed).to(d),
                       normal({in[i]}, seed + 1).to(d),
                       normal({in[i]}, seed + 2).to(d),
                       Tensor::full({in[i]}, 1).to(d),
                       normal({out[i], taps[i], taps[i], in[i]}, seed + 3, scale).to(d),
                       normal({out[i]}, seed + 4).to(d)};
      const NormConv& f = block.step[i];
      to.step[i] = {f.gamma.empty_like(), f.beta.empty_like(), f.w.empty_like(),
                    f.bias.empty_like()};
      kept.mean[i] = f.gamma.empty_like();
      kept.invstd[i] = f.gamma.empty_like();
    }
    if (s[3] != O) {
      block.skip_w = normal({O, 1, 1, s[3]}, 40, 1 / std::sqrt(double(s[3]))).to(d);
      block.skip_bias = normal({O}, 41).to(DType::bf16).to(DType::f32).to(d);
      to.skip_w = block.skip_w.empty_like();
      to.skip_bias = block.skip_bias.empty_like();
    }
    x = normal(s, 42).to(type).to(d);
    dy = normal({s[0], s[1], s[2], O}, 43).to(type).to(d);
    y = dy.empty_like();
    to.x = x.empty_like();
    kept.a1 = x.empty_like({s[0], s[1], s[2], M});
    kept.a2 = kept.a1.empty_like();
    run();
  }
  void run() {
    residual_block(x, block, Statistics::batch, kept, y);
    residual_block_backward(x, block, Statistics::batch, kept, dy, to);
  }
  Tensor in(int step) const { return step == 0 ? x : step == 1 ? kept.a1 : kept.a2; }
  Tensor out(int step) const { return step == 0 ? kept.a1 : step == 1 ? kept.a2 : y; }
};

// max((x - mean) gamma invstd + beta, 0) in float32, as the products compute it.
Tensor rectified(const Ran& r, int step) {
  Tensor z = r.in(step).to(Device::cpu).to(DType::f32).clone();
  const NormConv& norm = r.block.step[step];
  const auto gamma = norm.gamma.values<float>(), beta = norm.beta.values<float>(),
             mean = r.kept.mean[step].values<float>(), invstd = r.kept.invstd[step].values<float>();
  for (int64_t i = 0, C = z.dim(3); i < z.count(); ++i) {
    float& v = z.data<float>()[i];
    v = std::max((v - mean[i % C]) * (gamma[i % C] * invstd[i % C]) + beta[i % C], 0.f);
  }
  return z;
}

// What step i writes, from what it read.
Tensor composed_output(const Ran& r, int i, const Rounding& to) {
  const NormConv& step = r.block.step[i];
  const Tensor bias = exact(step.bias);
  Tensor y = exact(r.out(i)).empty_like();
  conv2d(to.factor(rectified(r, i)), to.factor(exact(step.w)), options(i), {.bias = &bias}, y);
  if (i < 2) return to.stored(y);
  Tensor skip = exact(r.x);
  if (r.block.skip_w.defined()) {
    const Tensor skip_bias = exact(r.block.skip_bias);
    Tensor s = y.empty_like();
    conv2d(to.factor(skip), to.factor(exact(r.block.skip_w)), {}, {.bias = &skip_bias}, s);
    skip = to.stored(s);
  }
  add(y, skip, y);
  return to.stored(y);
}

// The gradients of weights, gamma and beta from the third step to the first, and of x.
std::vector<Tensor> composed_gradients(const Ran& r, const Rounding& to) {
  Tensor d = exact(r.dy), skip = d;
  if (r.block.skip_w.defined()) {
    Tensor dx = exact(r.x).empty_like();
    conv2d_backward_data(to.factor(d), to.factor(exact(r.block.skip_w)), {}, dx);
    skip = to.stored(dx);
  }
  std::vector<Tensor> all;
  for (int i = 2; i >= 0; --i) {
    const NormConv& norm = r.block.step[i];
    const Tensor in = exact(r.in(i)), w = exact(norm.w), z = rectified(r, i);
    Tensor dw = w.empty_like(), dz = in.empty_like(), dx = in.empty_like();
    Tensor dgamma = exact(norm.gamma).empty_like(), dbeta = dgamma.empty_like();
    conv2d_backward_weights(to.factor(z), to.factor(d), options(i), dw, nullptr);
    conv2d_backward_data(to.factor(d), to.factor(w), options(i), dz);
    for (int64_t k = 0; k < z.count(); ++k)
      if (!(z.data<float>()[k] > 0)) dz.data<double>()[k] = 0;
    batch_norm_backward(in, to.stored(dz), exact(norm.gamma), exact(norm.beta),
                        exact(r.kept.mean[i]), exact(r.kept.invstd[i]), Activation::none, 0,
                        Statistics::batch, &dx, dgamma, dbeta);
    all.insert(all.end(), {dw, dgamma, dbeta});
    if (i == 0) add(dx, skip, dx);
    d = to.stored(dx);
  }
  all.push_back(d);
  return all;
}

double root_mean_square(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = exact(a).values<double>(), y = exact(b).values<double>();
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return std::sqrt(sum / double(x.size()));
}

struct Where {
  Device device;
  DType type;
};

class ResidualOnTensorCores : public testing::TestWithParam<Where> {
 protected:
  void SetUp() override {
    if (!why_unavailable(GetParam().device).empty())
      GTEST_SKIP() << why_unavailable(GetParam().device);
    set_tf32_products(!in_bf16());
  }
  void TearDown() override { set_tf32_products(false); }

  static bool in_bf16() { return GetParam().type == DType::bf16; }
  static Ran ran(const Shape& s, int64_t M, int64_t O) {
    return Ran(s, M, O, GetParam().device, GetParam().type);
  }
  // A GPU contracts a product and a sum, and libraries may round the skip's factors otherwise.
  static double bound(double own, double on_a_gpu) {
    return GetParam().device == Device::cuda ? on_a_gpu : own;
  }

  static void expect_the_composition(const Ran& r) {
    const Rounding& rounding = in_bf16() ? to_bf16 : tf32;
    for (int i = 0; i < 3; ++i) {
      const Tensor want = composed_output(r, i, rounding);
      EXPECT_LT(relative_error(r.out(i), want), in_bf16() ? 1.0 / 256 : bound(1e-6, 1e-3)) << i;
      EXPECT_LT(root_mean_square(r.out(i), want),
                bound(0.05, 1) * root_mean_square(r.out(i), composed_output(r, i, none)))
          << i;
    }
    for (int i = 1; i < 3; ++i) {  // statistics are those of what was written
      const Tensor a = exact(r.in(i));
      Tensor mean = exact(r.kept.mean[i]).empty_like(), invstd = mean.empty_like(),
             running = Tensor::zeros(mean.shape(), DType::f64), z = a.empty_like();
      batch_norm_training(a, running, running, r.block.options(), running, running, mean, invstd,
                          z);
      EXPECT_LT(relative_error(r.kept.mean[i].to(Device::cpu), mean), 2e-6);
      EXPECT_LT(relative_error(r.kept.invstd[i].to(Device::cpu), invstd), 2e-6);
    }
    const std::vector<Tensor> want = composed_gradients(r, rounding),
                              unrounded = composed_gradients(r, none);
    const auto& g = r.to.step;
    const Tensor got[] = {g[2].w,    g[2].gamma, g[2].beta,  g[1].w,    g[1].gamma,
                          g[1].beta, g[0].w,     g[0].gamma, g[0].beta, r.to.x};
    // A sum in float32 that lies near a tie turns the rounding of the next factor.
    for (size_t i = 0; i < want.size(); ++i)
      EXPECT_LT(root_mean_square(got[i], want[i]),
                bound(0.25, 1) * root_mean_square(got[i], unrounded[i]))
          << i;
  }
};

TEST_P(ResidualOnTensorCores, IsTheCompositionOfItsRoundedParts) {
  expect_the_composition(ran({2, 13, 12, 40}, 48, 72));  // tiles are cut, the skip is a convolution
  expect_the_composition(ran({1, 9, 15, 72}, 8, 72));    // x is the skip
}

TEST_P(ResidualOnTensorCores, IsSoInTheLargeTile) {
  expect_the_composition(ran({1, 128, 128, 8}, 72, 8));
}

TEST_P(ResidualOnTensorCores, IsSoInEachTile) {
  Autotuner& tuner = autotuner(GetParam().device);
  for (const char* tile : {"mma 128x64", "mma 128x128", "mma 64x128"}) {
    SCOPED_TRACE(tile);
    tuner.force(tile);
    const Ran r = ran({2, 13, 12, 40}, 48, 72);
    EXPECT_GT(tuner.forced(), 2);
    tuner.force("");
    expect_the_composition(r);
  }
}

// The 3x3's forward and the gradient of its input, in several tiles a block; and without a norm.
TEST_P(ResidualOnTensorCores, IsSoByWarpgroups) {
  if (!in_bf16()) GTEST_SKIP() << "they multiply bf16";
  Autotuner& tuner = autotuner(GetParam().device);
  for (const char* tile : {"wgmma 16x16", "wgmma 16x32"}) {
    SCOPED_TRACE(tile);
    tuner.force(tile);
    const Ran r = ran({2, 21, 35, 40}, 64, 72);
    const int forced = tuner.forced();
    Tensor y = r.y.empty_like();
    residual_block_inference(r.x, r.block, y);
    const int in_inference = tuner.forced() - forced;
    tuner.force("");
    if (GetParam().device == Device::cuda && forced == 0) GTEST_SKIP() << "no Hopper";
    EXPECT_EQ(forced, 2);
    EXPECT_EQ(in_inference, 1);
    expect_the_composition(r);
    Tensor want = r.y.empty_like();
    residual_block_inference(r.x, r.block, want);
    EXPECT_LT(relative_error(y.to(Device::cpu).to(DType::f64), exact(want)), 1.0 / 128);
  }
}

TEST_P(ResidualOnTensorCores, MeasuresEachOfItsProducts) {
  Autotuner& tuner = autotuner(GetParam().device);
  tuner.set_measuring(true);
  const Ran r = ran({1, 9, 15, 72}, 8, 72);
  tuner.set_measuring(false);
  expect_the_composition(r);
  const auto choices = tuner.choices();
  const std::string type = in_bf16() ? " bf16" : " tf32";
  for (const std::string& problem :
       {"residual_block step 1 normed moments" + type + " x[1,9,15,72] w[8,1,1,72]",
        "residual_block step 3 normed add" + type + " x[1,9,15,8] w[72,1,1,8]",
        "residual_block_backward_data step 2" + type + " x[1,9,15,8] w[8,3,3,8] padding 1",
        "residual_block_backward_weights step 2" + type + " x[1,9,15,8] w[8,3,3,8] padding 1"}) {
    ASSERT_TRUE(choices.contains(problem)) << problem;
    EXPECT_GT(choices.at(problem).ms, 0) << problem;
  }
}

TEST_P(ResidualOnTensorCores, RepeatsToTheBit) {
  Ran r = ran({2, 13, 12, 40}, 48, 72);
  const auto bits = [&] {
    std::vector<std::vector<double>> all;
    for (const Tensor& t :
         {r.y, r.kept.a1, r.kept.mean[2], r.to.x, r.to.step[1].w, r.to.step[0].gamma, r.to.skip_w})
      all.push_back(exact(t).values<double>());
    return all;
  };
  const auto first = bits();
  r.run();
  EXPECT_EQ(bits(), first);
}

INSTANTIATE_TEST_SUITE_P(Arithmetics, ResidualOnTensorCores,
                         testing::Values(Where{Device::simt, DType::f32},
                                         Where{Device::simt, DType::bf16},
                                         Where{Device::cuda, DType::f32},
                                         Where{Device::cuda, DType::bf16}),
                         [](const auto& test) {
                           return std::string(name(test.param.device)) +
                                  (test.param.type == DType::bf16 ? "_bf16" : "_tf32");
                         });

}  // namespace
}  // namespace cairn
