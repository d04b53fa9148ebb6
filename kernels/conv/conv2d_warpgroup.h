#pragma once
// 3x3 convolutions of bf16 on Hopper's own tensor cores (conv2d_warpgroup.sm90a.cu).
#include <functional>
#include <vector>

#include "kernels/conv/conv2d.h"
#include "kernels/gemm/tiled_product.h"
#include "runtime/autotuner.h"

namespace cairn::CAIRN_NS {

/// What such a kernel computes: y = pool2(act(conv(x, w) + bias)), padded by 1. All bf16, but for
/// the bias of a residual block, which is float.
struct WarpgroupConv {
  const Tensor& x;  ///< [N,H,W,C]
  const Tensor& w;  ///< [O,3,3,C]
  bool flipped;     ///< w's taps run backwards: a gradient's
  Epilogue epilogue;
  const NormSteps* steps = nullptr;  ///< of a residual block: no pool, and nothing is added
};

/// The ways to compute it: tiles of 16x32 and of 16x16 pixels. None unless this GPU has such cores,
/// C is a multiple of 32, O one of 64, and all begins on 16 bytes. Before each run before(parts) is
/// called: so many parts of moments or sums will be written. All that `conv` refers to stays where
/// it is until then.
std::vector<Algorithm> by_warpgroups(const WarpgroupConv& conv, Tensor& y,
                                     const std::function<void(int64_t parts)>& before = {});

}  // namespace cairn::CAIRN_NS
