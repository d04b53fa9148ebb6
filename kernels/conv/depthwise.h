#pragma once
// Depthwise convolution on the CPU: one kernel per channel (groups = C = O), so the arithmetic runs
// along the channels of a pixel. Bandwidth-bound; shapes and formulas are those of conv2d.h.
#include "kernels/conv/conv2d.h"

namespace cairn {

void depthwise(const Tensor& x, const Tensor& w, const Conv2dOptions& options,
               const Epilogue& epilogue, Tensor& y);
void depthwise_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                             Tensor& dx);
void depthwise_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                                Tensor& dw);

}  // namespace cairn
