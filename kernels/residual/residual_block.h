#pragma once
// residual_block: the pre-activation bottleneck (He et al., "Identity mappings in deep residual
// networks", ECCV 2016, as in the stacked hourglass) as one op.
//
//   x, dx       [N,H,W,I]; f32 or f64; simt and cuda: also bf16, as all activations then, beside
//               weights of either type, and norms, statistics, parameters' gradients in f32
//   y, dy       [N,H,W,O]
//   a1, a2      [N,H,W,M]: what the first two convolutions give; M is any width
//   weights     first [M,1,1,I], second [M,3,3,M], third [O,1,1,M], skip [O,1,1,I]; biases [M], [O]
//   norms       gamma, beta, running_mean, running_var: [I], [M], [M]
//
//   zi = max(norm_i(.), 0), norm_i as in kernels/norm/batch_norm.h
//   a1 = conv1x1(z1(x)),  a2 = conv3x3(z2(a1)) padded by 1,
//   y  = conv1x1(z3(a2)) + skip(x),   skip: x itself, or a 1x1 convolution of it
//
// A normalised activation exists only where a convolution reads it: the norm is applied on its way
// in, the statistics of a1 and a2 are gathered where they are written, and the skip is added there.
// The backward needs x, a1 and a2 alone. It equals the composition of batch_norm, conv2d and add.
//
// On cpu a 1x1 convolution takes 8 register tiles of rows at a time: normalised into the L2 cache,
// multiplied, and counted there; the 3x3 goes through Winograd where that serves, norm and
// statistics in its transforms (kernels/conv/winograd.h), else through conv2d. The gradient of a
// norm's input stays a pass of its own: two convolutions read it, the 3x3's each 2.25 times.
#include "kernels/dispatch.h"
#include "kernels/norm/batch_norm.h"

namespace cairn {

/// One norm, rectifier and convolution.
struct NormConv {
  Tensor gamma, beta, running_mean, running_var;
  Tensor w, bias;
};

struct ResidualBlock {
  NormConv step[3];
  Tensor skip_w, skip_bias;  ///< undefined: x itself
  double eps = 1e-5, momentum = 0.1;

  BatchNormOptions options() const { return {eps, momentum, Activation::relu}; }
};

/// What the forward leaves for the backward.
struct ResidualKept {
  Tensor a1, a2;
  Tensor mean[3], invstd[3];  ///< what each norm's input was normalised with
};

/// All of them are written, but for x and the skip's where they are undefined.
struct ResidualGradients {
  struct {
    Tensor gamma, beta, w, bias;
  } step[3];
  Tensor skip_w, skip_bias, x;
};

CAIRN_ON_EACH_DEVICE(void residual_block(const Tensor& x, const ResidualBlock& block,
                                         Statistics statistics, ResidualKept& kept, Tensor& y);
                     void residual_block_inference(const Tensor& x, const ResidualBlock& block,
                                                   Tensor& y);
                     void residual_block_backward(const Tensor& x, const ResidualBlock& block,
                                                  Statistics statistics, const ResidualKept& kept,
                                                  const Tensor& dy, ResidualGradients& gradients);)

/// Writes y and all of `kept`, which is allocated; batch statistics move the running ones.
inline void residual_block(const Tensor& x, const ResidualBlock& block, Statistics statistics,
                           ResidualKept& kept, Tensor& y) {
  CAIRN_DISPATCH(y.device(), residual_block, x, block, statistics, kept, y);
}

/// y with the running statistics, and nothing kept. The second and third norm are folded into the
/// weights and biases before them (layers/prepared_weights.h): of theirs nothing but w and bias is
/// read.
inline void residual_block_inference(const Tensor& x, const ResidualBlock& block, Tensor& y) {
  CAIRN_DISPATCH(y.device(), residual_block_inference, x, block, y);
}

inline void residual_block_backward(const Tensor& x, const ResidualBlock& block,
                                    Statistics statistics, const ResidualKept& kept,
                                    const Tensor& dy, ResidualGradients& gradients) {
  CAIRN_DISPATCH(dy.device(), residual_block_backward, x, block, statistics, kept, dy, gradients);
}

}  // namespace cairn
