#pragma once
// Gradient of the weights where the kernel sees few numbers: the first layer of a network, on
// images of one or three channels.
//
// Of the product dw [O, K] = dy' [O, pixels] . patches [pixels, K] with K = kh kw C small, vectors
// run along O instead of K: dw' [K, O] = patches' . dy. The patches are a strip, dy is read where
// it lies, and nothing else is copied. One core, own general path | this | oneDNN:
//   8x120x160, 1 -> 64, 3x3             8.0 | 2.7 | 14.7 ms
//   4x256x256, 3 -> 64, 7x7             -   | 28  | 35 ms
#include "kernels/conv/conv2d.h"

namespace cairn {

/// K of at most 160, one group, no dilation, O in whole vectors.
bool few_channels_serves(const Tensor& dw, const Conv2dOptions& options);

void few_channels_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                                   Tensor& dw);

}  // namespace cairn
