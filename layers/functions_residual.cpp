#include "layers/functions_residual.h"

#include "layers/check.h"
#include "layers/prepared_weights.h"
#include "runtime/flops.h"

namespace cairn {
namespace {

// The shape of y.
Shape checked(const Var& x, const ResidualVars& block, int norms) {
  Check check("residual_block");
  check.argument("x", x).require(x.value().rank() == 4, "x has rank ", x.value().rank());
  const Tensor &w1 = block.step[0].w.value(), &w3 = block.step[2].w.value();
  check.require(w1.rank() == 4 && w3.rank() == 4, "a weight's rank is not 4");
  if (check.fine()) {
    const int64_t I = x.dim(3), M = w1.dim(0), O = w3.dim(0);
    const auto fits = [&](const std::string& name, const Tensor& t, const Shape& expected) {
      check.require(t.shape() == expected, name, " has shape ", t.shape(), ", not ", expected);
      check.parameter(name.c_str(), t, x.value());
    };
    const int64_t in[] = {I, M, M}, out[] = {M, M, O}, side[] = {1, 3, 1};
    for (int i = 0; i < 3; ++i) {
      const NormConvVars& s = block.step[i];
      fits(text("w", i + 1), s.w.value(), {out[i], side[i], side[i], in[i]});
      fits(text("bias", i + 1), s.bias.value(), {out[i]});
      if (i >= norms) continue;
      fits(text("gamma", i + 1), s.gamma.value(), {in[i]});
      fits(text("beta", i + 1), s.beta.value(), {in[i]});
      fits(text("running_mean", i + 1), s.running_mean, {in[i]});
      fits(text("running_var", i + 1), s.running_var, {in[i]});
    }
    if (block.skip_w.defined()) {
      fits("skip_w", block.skip_w.value(), {O, 1, 1, I});
      fits("skip_bias", block.skip_bias.value(), {O});
    } else {
      check.require(I == O, "x has ", I, " channels and y ", O, ", without a skip convolution");
    }
    check.require(!x.tape().training || x.value().count() != I,
                  "training on a single value per channel");
    check.done(
        "x [N,H,W,I], w1 [M,1,1,I], w2 [M,3,3,M], w3 [O,1,1,M], of one type (f32 beside bf16) and "
        "device; two pixels or more when training",
        "give the block the channels it was built for");
    return {x.dim(0), x.dim(1), x.dim(2), O};
  }
  check.done("x [N,H,W,I] and weights of rank 4", "images are [N,H,W,C], one image has N = 1");
  return {};
}

ResidualBlock values_of(const ResidualVars& vars) {
  const auto value = [](const Var& v) { return v.defined() ? v.value() : Tensor(); };
  ResidualBlock block;
  for (int i = 0; i < 3; ++i) {
    const NormConvVars& s = vars.step[i];
    block.step[i] = {value(s.gamma), value(s.beta), s.running_mean,
                     s.running_var,  value(s.w),    value(s.bias)};
  }
  block.skip_w = value(vars.skip_w);
  block.skip_bias = value(vars.skip_bias);
  block.eps = vars.norm.eps;
  block.momentum = vars.norm.momentum;
  return block;
}

// The same as kernels read it: what meets bf16 is bf16, biases and norms of the steps are not.
ResidualBlock read_as(ResidualBlock block, DType type) {
  for (NormConv& s : block.step) s.w = weight_as(s.w, type);
  if (!block.skip_w.defined()) return block;
  block.skip_w = weight_as(block.skip_w, type);
  block.skip_bias = weight_as(block.skip_bias, type);
  return block;
}

void count_flops(const Tensor& x, const ResidualBlock& block) {
  double weights = block.skip_w.defined() ? double(block.skip_w.count()) : 0;
  for (const NormConv& s : block.step) weights += double(s.w.count());
  FlopCounter::add(2.0 * double(x.dim(0) * x.dim(1) * x.dim(2)) * weights);
}

// The tape's order: x, then gamma, beta, w, bias of each step, then the skip's two.
std::vector<Var> inputs_of(const Var& x, const ResidualVars& block) {
  std::vector<Var> inputs{x};
  for (const NormConvVars& s : block.step)
    inputs.insert(inputs.end(), {s.gamma, s.beta, s.w, s.bias});
  inputs.insert(inputs.end(), {block.skip_w, block.skip_bias});
  return inputs;
}

// Where each gradient goes: a place of the tape's, or one that is dropped.
ResidualGradients places(Grads& grads, const ResidualBlock& block) {
  const auto place = [&](int input, const Tensor& like) {
    if (!like.defined()) return Tensor();
    Tensor* wanted = grads.want(input);
    return wanted ? *wanted : like.empty_like();
  };
  ResidualGradients to;
  for (int i = 0; i < 3; ++i) {
    const NormConv& s = block.step[i];
    to.step[i] = {place(4 * i + 1, s.gamma), place(4 * i + 2, s.beta), place(4 * i + 3, s.w),
                  place(4 * i + 4, s.bias)};
  }
  to.skip_w = place(13, block.skip_w);
  to.skip_bias = place(14, block.skip_bias);
  if (Tensor* dx = grads.want(0)) to.x = *dx;
  return to;
}

}  // namespace

Var residual_block(const Var& x, const ResidualVars& vars) {
  const Shape shape = checked(x, vars, 3);
  const ResidualBlock block = values_of(vars);
  const Statistics statistics = x.tape().training ? Statistics::batch : Statistics::running;
  const Shape middle{shape[0], shape[1], shape[2], block.step[0].w.dim(0)};
  Tensor y = x.value().empty_like(shape);
  ResidualKept kept{x.value().empty_like(middle), x.value().empty_like(middle), {}, {}};
  for (int i = 0; i < 3; ++i) {
    kept.mean[i] = block.step[i].gamma.empty_like();
    kept.invstd[i] = block.step[i].gamma.empty_like();
  }
  const ResidualBlock read = read_as(block, x.value().dtype());
  residual_block(x.value(), read, statistics, kept, y);
  count_flops(x.value(), block);
  return x.tape().record(
      "residual_block", inputs_of(x, vars), y,
      [xs = Kept(x), block, read, kept, statistics](const Tensor& dy, Grads& grads) {
        ResidualGradients to = places(grads, block);
        residual_block_backward(xs.value(), read, statistics, kept, dy, to);
      });
}

Var residual_block_folded(const Var& x, const ResidualVars& vars) {
  Tensor y = x.value().empty_like(checked(x, vars, 1));
  const ResidualBlock block = read_as(values_of(vars), x.value().dtype());
  residual_block_inference(x.value(), block, y);
  count_flops(x.value(), block);
  return x.tape().constant(y);
}

}  // namespace cairn
