// residual_block in its parts, one after the other.
//
//   Launch    as batch_norm, conv2d and add launch.
//   Traffic   that of the parts.
//   Repeats   bitwise, as the parts do.
#include "kernels/residual/residual_block.h"

#include "kernels/conv/conv2d.h"
#include "kernels/elementwise/add.h"

namespace cairn::CAIRN_NS {
namespace {

Conv2dOptions options_of(int step) {
  return {.stride = 1, .padding = step == 1 ? 1 : 0, .dilation = 1, .groups = 1};
}

void convolve(const Tensor& x, const NormConv& step, int i, Tensor& y) {
  Epilogue epilogue;
  epilogue.bias = &step.bias;
  CAIRN_NS::conv2d(x, step.w, options_of(i), epilogue, y);
}

void add_skip(const Tensor& x, const ResidualBlock& block, Tensor& y) {
  Tensor skip = x;
  if (block.skip_w.defined()) {
    skip = y.empty_like();
    Epilogue epilogue;
    epilogue.bias = &block.skip_bias;
    CAIRN_NS::conv2d(x, block.skip_w, {}, epilogue, skip);
  }
  CAIRN_NS::add(y, skip, y);
}

}  // namespace

void residual_block(const Tensor& x, const ResidualBlock& block, Statistics statistics,
                    ResidualKept& kept, Tensor& y) {
  Tensor out[3] = {kept.a1, kept.a2, y};
  Tensor in = x;
  for (int i = 0; i < 3; ++i) {
    const NormConv& s = block.step[i];
    Tensor z = in.empty_like(), rm = s.running_mean, rv = s.running_var;
    if (statistics == Statistics::batch)
      CAIRN_NS::batch_norm_training(in, s.gamma, s.beta, block.options(), rm, rv, kept.mean[i],
                                    kept.invstd[i], z);
    else
      CAIRN_NS::batch_norm_evaluation(in, s.gamma, s.beta, block.options(), rm, rv, kept.mean[i],
                                      kept.invstd[i], z);
    convolve(z, s, i, out[i]);
    in = out[i];
  }
  add_skip(x, block, y);
}

void residual_block_inference(const Tensor& x, const ResidualBlock& block, Tensor& y) {
  const NormConv& s = block.step[0];
  Tensor z = x.empty_like(), mean = s.gamma.empty_like(), invstd = s.gamma.empty_like();
  CAIRN_NS::batch_norm_evaluation(x, s.gamma, s.beta, block.options(), s.running_mean,
                                  s.running_var, mean, invstd, z);
  const Shape middle{x.dim(0), x.dim(1), x.dim(2), s.w.dim(0)};
  for (int i = 0; i < 2; ++i) {
    Tensor a = x.empty_like(middle);
    Epilogue epilogue;
    epilogue.bias = &block.step[i].bias;
    epilogue.act = Activation::relu;
    CAIRN_NS::conv2d(z, block.step[i].w, options_of(i), epilogue, a);
    z = a;
  }
  convolve(z, block.step[2], 2, y);
  add_skip(x, block, y);
}

void residual_block_backward(const Tensor& x, const ResidualBlock& block, Statistics statistics,
                             const ResidualKept& kept, const Tensor& dy, ResidualGradients& to) {
  const Tensor in[3] = {x, kept.a1, kept.a2};
  Tensor d = dy;
  for (int i = 2; i >= 0; --i) {
    const NormConv& s = block.step[i];
    Tensor z = in[i].empty_like(), dz = in[i].empty_like(), dx = in[i].empty_like();
    CAIRN_NS::batch_norm_apply(in[i], s.gamma, s.beta, kept.mean[i], kept.invstd[i],
                               Activation::relu, z);
    CAIRN_NS::conv2d_backward_weights(z, d, options_of(i), to.step[i].w, &to.step[i].bias);
    CAIRN_NS::conv2d_backward_data(d, s.w, options_of(i), dz);
    CAIRN_NS::batch_norm_backward(in[i], dz, s.gamma, s.beta, kept.mean[i], kept.invstd[i],
                                  Activation::relu, statistics, &dx, to.step[i].gamma,
                                  to.step[i].beta);
    d = dx;
  }
  Tensor skip = dy;
  if (block.skip_w.defined()) {
    CAIRN_NS::conv2d_backward_weights(x, dy, {}, to.skip_w, &to.skip_bias);
    skip = x.empty_like();
    CAIRN_NS::conv2d_backward_data(dy, block.skip_w, {}, skip);
  }
  if (to.x.defined()) CAIRN_NS::add(d, skip, to.x);
}

}  // namespace cairn::CAIRN_NS
