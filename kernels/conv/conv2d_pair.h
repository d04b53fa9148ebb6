#pragma once
// conv2d_pair: two convolutions in a row, for inference. What is between them need not exist as a
// whole: the first layers of a network make its largest map, 79 MB for 64 channels at 480x640 in
// f32.
//
//   x  [N,H,W,C],  y as conv2d.h has it for the second step
//   y = second(first(x)),  step(x) = pool2(act(conv(x, w) + bias)); the first one does not pool
//   f32, f64; also bf16, summed in f32. cpu: bit for bit the two convolutions if C = 1 and in f32
//   (bf16: what is between is not rounded)
//
// On cuda and simt an image of 1 or 3 channels -> 64 -> 64, each 3x3 with a ReLU, and a pool is one
// kernel (conv2d_pair.cu).
//
// On cpu a first step that sees few numbers (an image of 1 or 3 channels) before a second one that
// Winograd serves is computed patch by patch, in the cache, as the second one's tiles ask for it.
// 480x640, 1 -> 64 -> 64 with ReLU and a pool, CPU time on one Zen 5 core: 4.3 + 32.2 ms one after
// the other, 35.1 ms as a pair, and 157 MB that neither go to memory nor come back from it.
#include "kernels/conv/conv2d.h"

namespace cairn {

struct ConvStep {
  const Tensor& w;
  Conv2dOptions options;
  Epilogue epilogue;
};

/// What the step makes of an input of shape x.
inline Shape conv_step_shape(const Shape& x, const ConvStep& step) {
  const int64_t h = conv2d_output_size(x[1], step.w.dim(1), step.options);
  const int64_t v = conv2d_output_size(x[2], step.w.dim(2), step.options);
  const int64_t shrink = step.epilogue.pool2 ? 2 : 1;
  return {x[0], h / shrink, v / shrink, step.w.dim(0)};
}

CAIRN_ON_EACH_DEVICE(void conv2d_pair(const Tensor& x, const ConvStep& first,
                                      const ConvStep& second, Tensor& y);)

/// Writes y.
inline void conv2d_pair(const Tensor& x, const ConvStep& first, const ConvStep& second, Tensor& y) {
  CAIRN_DISPATCH(y.device(), conv2d_pair, x, first, second, y);
}

}  // namespace cairn
