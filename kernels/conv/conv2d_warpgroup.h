#pragma once
// 3x3 convolutions of bf16 on Hopper's own tensor cores (conv2d_warpgroup.sm90a.cu).
#include "kernels/conv/conv2d.h"

namespace cairn::CAIRN_NS {

/// What such a kernel computes: y = pool2(act(conv(x, w) + bias)), padded by 1. All bf16.
struct WarpgroupConv {
  const Tensor& x;  ///< [N,H,W,C]
  const Tensor& w;  ///< [O,3,3,C]
  bool flipped;     ///< w's taps run backwards: a gradient's
  Epilogue epilogue;
};

/// Whether this GPU has them, C is a multiple of 32, O one of 64, and all begins on 16 bytes.
bool warpgroups_serve(const WarpgroupConv& conv, const Tensor& y);

/// Tiles of 16 x `rows` pixels, 16 or 32.
void convolve_by_warpgroups(const WarpgroupConv& conv, int rows, Tensor& y);

}  // namespace cairn::CAIRN_NS
