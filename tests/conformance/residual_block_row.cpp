// residual_block: BN-ReLU-conv1x1, BN-ReLU-conv3x3, BN-ReLU-conv1x1, plus the skip.
#include "kernels/residual/residual_block.h"

#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conv_formula.h"

namespace cairn::conformance {
namespace {

constexpr double eps = 1e-3, momentum = 0.25;
constexpr int per_step = 6;  // gamma, beta, running_mean, running_var, w, bias; x comes first

struct Sizes {
  Shape x;
  int64_t M, O;
  int64_t inputs(int step) const { return step == 0 ? x[3] : M; }
  int64_t outputs(int step) const { return step == 2 ? O : M; }
  bool has_skip() const { return x[3] != O; }
  Shape image(int64_t channels) const { return {x[0], x[1], x[2], channels}; }
};

Tensors drawn(const Sizes& s) {
  Tensors in{normal(s.x, 1)};
  for (int i = 0; i < 3; ++i) {
    const int64_t C = s.inputs(i), k = i == 1 ? 3 : 1;
    const uint64_t seed = 10 * uint64_t(i);
    in.push_back(uniform({C}, seed + 2, 0.5, 1.5));
    in.push_back(normal({C}, seed + 3, 0.5));
    in.push_back(normal({C}, seed + 4, 0.5));
    in.push_back(uniform({C}, seed + 5, 0.5, 2));
    in.push_back(normal({s.outputs(i), k, k, C}, seed + 6, 1 / std::sqrt(double(k * k * C))));
    in.push_back(normal({s.outputs(i)}, seed + 7));
  }
  if (s.has_skip()) {
    in.push_back(normal({s.O, 1, 1, s.x[3]}, 40, 1 / std::sqrt(double(s.x[3]))));
    in.push_back(normal({s.O}, 41));
  }
  return in;
}

// max(norm(x), 0); batch statistics move running_mean and running_var.
Tensor rectified(const Tensor& x, const Tensor* step, Statistics statistics, Tensor* running) {
  const int64_t C = x.dim(3), rows = x.count() / C;
  Tensor z = zeros64(x.shape());
  for (int64_t c = 0; c < C; ++c) {
    double mean = in(step[2])[c], var = in(step[3])[c];
    if (statistics == Statistics::batch && rows > 0) {
      mean = var = 0;
      for (int64_t r = 0; r < rows; ++r) mean += in(x)[r * C + c] / double(rows);
      for (int64_t r = 0; r < rows; ++r) var += std::pow(in(x)[r * C + c] - mean, 2) / double(rows);
      const double unbiased = var * double(rows) / double(std::max<int64_t>(rows - 1, 1));
      double &rm = running[0].data<double>()[c], &rv = running[1].data<double>()[c];
      rm = (1 - momentum) * rm + momentum * mean;
      rv = (1 - momentum) * rv + momentum * unbiased;
    }
    for (int64_t r = 0; r < rows; ++r)
      z.data<double>()[r * C + c] = std::max(
          0.0, (in(x)[r * C + c] - mean) / std::sqrt(var + eps) * in(step[0])[c] + in(step[1])[c]);
  }
  return z;
}

// y and the six running statistics.
Tensors formula_of(const Sizes& s, const Tensors& in, Statistics statistics) {
  Tensors running;
  Tensor a = in[0];
  for (int i = 0; i < 3; ++i) {
    const Tensor* step = &in[1 + per_step * i];
    running.push_back(step[2].clone());
    running.push_back(step[3].clone());
    const Tensor z = rectified(a, step, statistics, &running[2 * i]);
    const Conv2dOptions o{.stride = 1, .padding = i == 1 ? 1 : 0, .dilation = 1, .groups = 1};
    a = conv_formula({z, step[4], step[5]}, o, Activation::none, 0, false);
  }
  Tensor skip = in[0];
  if (s.has_skip())
    skip = conv_formula({in[0], in[in.size() - 2], in.back()}, {}, Activation::none, 0, false);
  for (int64_t i = 0; i < a.count(); ++i) a.data<double>()[i] += skip.data<double>()[i];
  Tensors out{a};
  out.insert(out.end(), running.begin(), running.end());
  return out;
}

ResidualBlock block_of(const Sizes& s, const Tensors& in) {
  ResidualBlock block;
  for (int i = 0; i < 3; ++i) {
    const Tensor* t = &in[1 + per_step * i];
    block.step[i] = {as_parameter(t[0]),         as_parameter(t[1]), as_parameter(t[2]).clone(),
                     as_parameter(t[3]).clone(), as_parameter(t[4]), as_parameter(t[5])};
  }
  if (s.has_skip()) {
    block.skip_w = as_parameter(in[in.size() - 2]);
    block.skip_bias = as_parameter(in.back());
  }
  block.eps = eps;
  block.momentum = momentum;
  return block;
}

struct Ran {
  ResidualBlock block;
  ResidualKept kept;
  Tensor y;
};

Ran run(const Sizes& s, const Tensors& in, Statistics statistics) {
  Ran r{block_of(s, in), {}, in[0].empty_like(s.image(s.O))};
  r.kept.a1 = in[0].empty_like(s.image(s.M));
  r.kept.a2 = in[0].empty_like(s.image(s.M));
  for (int i = 0; i < 3; ++i) {
    r.kept.mean[i] = r.block.step[i].gamma.empty_like();
    r.kept.invstd[i] = r.block.step[i].gamma.empty_like();
  }
  residual_block(in[0], r.block, statistics, r.kept, r.y);
  return r;
}

// In x's type: beside activations in bf16 sums in float32 are no better than they.
Tensors as_activations(Tensors all, const Tensor& x) {
  for (Tensor& t : all)
    if (t.defined()) t = t.to(x.dtype());
  return all;
}

Tensors gradients(const Sizes& s, const Tensors& in, Statistics statistics, const Tensor& dy) {
  const Ran r = run(s, in, statistics);
  ResidualGradients g;
  g.x = in[0].empty_like();
  for (int i = 0; i < 3; ++i) {
    const NormConv& step = r.block.step[i];
    g.step[i] = {step.gamma.empty_like(), step.beta.empty_like(), step.w.empty_like(),
                 step.bias.empty_like()};
  }
  if (s.has_skip()) {
    g.skip_w = r.block.skip_w.empty_like();
    g.skip_bias = r.block.skip_bias.empty_like();
  }
  residual_block_backward(in[0], r.block, statistics, r.kept, dy, g);
  Tensors out{g.x};
  for (int i = 0; i < 3; ++i) {
    // A norm takes a constant away again: the gradient of a bias before it is rounding alone.
    const bool rounding = i < 2 && statistics == Statistics::batch;
    const Tensor none;
    out.insert(out.end(), {g.step[i].gamma, g.step[i].beta, none, none, g.step[i].w,
                           rounding ? none : g.step[i].bias});
  }
  if (s.has_skip()) out.insert(out.end(), {g.skip_w, g.skip_bias});
  return as_activations(out, in[0]);
}

std::string label_of(const Sizes& s, const char* what) {
  return text("x=", s.x, " M=", s.M, " O=", s.O, " ", what);
}

Case gradient_case(const Sizes& s, Statistics statistics, bool differences) {
  Case c;
  c.label = label_of(s, statistics == Statistics::batch ? "batch" : "running");
  c.inputs = drawn(s);
  c.formula = [=](const Tensors& in) { return Tensors{formula_of(s, in, statistics)[0]}; };
  c.forward = [=](const Tensors& in) { return Tensors{run(s, in, statistics).y}; };
  c.backward = [=](const Tensors& in, const Tensors&, const Tensors& dy) {
    return gradients(s, in, statistics, dy[0]);
  };
  c.differences = differences;
  // A rounded activation near 0 turns its gradient off or on. The rounded composition is compared
  // in tests/kernels/residual_block_test.cpp.
  c.bf16_tolerance = 0.2;
  c.tolerance = 1e-5;  // three convolutions and three norms, one behind the other
  c.gradient_tolerance = 5e-5;
  return c;
}

Case statistics_case(const Sizes& s) {
  Case c;
  c.label = label_of(s, "statistics");
  c.inputs = drawn(s);
  c.formula = [=](const Tensors& in) { return formula_of(s, in, Statistics::batch); };
  c.forward = [=](const Tensors& in) {
    const Ran r = run(s, in, Statistics::batch);
    Tensors out{r.y};
    for (const NormConv& step : r.block.step)
      out.insert(out.end(), {step.running_mean, step.running_var});
    return as_activations(out, in[0]);
  };
  c.tolerance = 1e-5;
  c.bf16_tolerance = 1e-2;
  return c;
}

// w gamma / sqrt(var + eps) and (bias - mean) gamma / sqrt(var + eps) + beta.
void fold(NormConv& conv, const NormConv& norm) {
  const auto host = [](const Tensor& t) { return t.to(Device::cpu).to(DType::f64).clone(); };
  Tensor w = host(conv.w), bias = host(conv.bias);
  const Tensor gamma = host(norm.gamma), beta = host(norm.beta);
  const Tensor mean = host(norm.running_mean), var = host(norm.running_var);
  for (int64_t i = 0; i < w.count(); ++i) {
    const int64_t o = i / (w.count() / w.dim(0));
    w.data<double>()[i] *= in(gamma)[o] / std::sqrt(in(var)[o] + eps);
  }
  for (int64_t o = 0; o < bias.count(); ++o) {
    double& b = bias.data<double>()[o];
    b = (b - in(mean)[o]) * in(gamma)[o] / std::sqrt(in(var)[o] + eps) + in(beta)[o];
  }
  conv.w = w.to(conv.w.dtype()).to(conv.w.device());
  conv.bias = bias.to(conv.bias.dtype()).to(conv.bias.device());
}

Case inference_case(const Sizes& s) {
  Case c;
  c.label = label_of(s, "inference");
  c.inputs = drawn(s);
  c.formula = [=](const Tensors& in) { return Tensors{formula_of(s, in, Statistics::running)[0]}; };
  c.forward = [=](const Tensors& in) {
    ResidualBlock block = block_of(s, in);
    fold(block.step[0], block.step[1]);
    fold(block.step[1], block.step[2]);
    Tensor y = in[0].empty_like(s.image(s.O));
    residual_block_inference(in[0], block, y);
    return Tensors{y};
  };
  c.tolerance = 1e-5;
  c.bf16_tolerance = 1e-2;
  return c;
}

Row row() {
  Row r{"residual_block", {}};
  // The last ones go through Winograd on cpu; whole tiles and cut ones.
  for (const Sizes& s :
       {Sizes{{0, 3, 3, 8}, 4, 8}, Sizes{{1, 1, 2, 2}, 1, 2}, Sizes{{2, 5, 4, 6}, 3, 6},
        Sizes{{1, 4, 3, 5}, 4, 7}, Sizes{{2, 8, 8, 8}, 4, 8}, Sizes{{1, 16, 16, 32}, 32, 48},
        Sizes{{2, 13, 18, 48}, 48, 48}}) {
    const bool small = s.x.count() < 1000;
    if (s.x.count() > 0) r.cases.push_back(statistics_case(s));
    r.cases.push_back(gradient_case(s, Statistics::batch, small));
    r.cases.push_back(gradient_case(s, Statistics::running, small));
    r.cases.push_back(inference_case(s));
  }
  // Pixels enough for the large tile of a GPU's products (kernels/gemm/gemm.cu), which is then cut.
  r.cases.push_back(gradient_case({{1, 127, 130, 8}, 33, 34}, Statistics::batch, false));
  r.cases.back().large = true;
  r.cases.back().bf16_tolerance = 0;  // it has no such tile
  r.cases.push_back(gradient_case({{1, 17, 6, 8}, 64, 8}, Statistics::batch, false));  // "wgmma"
  // Other tiles are the usual ones.
  r.algorithms = {"ffma 32x32", "ffma 128x64", "mma 128x128", "wgmma 16x16"};
  return r;
}

const bool added = add_row(row());

}  // namespace
}  // namespace cairn::conformance
