#pragma once
// What residual_block and its ladder share on cuda and simt. Included by .cu files only.
#include "kernels/conv/conv2d.h"
#include "kernels/gemm/tiled_product.h"
#include "kernels/residual/residual_block.h"

namespace cairn::CAIRN_NS {

/// Of the convolution in step 0, 1 or 2.
inline Conv2dOptions residual_options(int step) {
  return {.stride = 1, .padding = step == 1 ? 1 : 0, .dilation = 1, .groups = 1};
}

/// Norm `step` of the block as a product applies it.
struct ResidualNorm {
  ResidualNorm(const ResidualBlock& block, int step, const Tensor& mean, const Tensor& invstd);
  Tensor mean_scale_beta;  ///< [3,C]
  RectifiedNorm parts;
};

/// y = step i of the norm of x, or of x itself if `norm` is null, plus `add` unless null; y's
/// moments unless that is.
void forward_step(const Tensor& x, const ResidualBlock& block, int i, const RectifiedNorm* norm,
                  const Tensor* add, Activation act, Tensor* moments, Tensor& y);

}  // namespace cairn::CAIRN_NS
