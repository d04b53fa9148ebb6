#pragma once
// Dilated 3x3 convolutions on the CPU as plain ones: with dilation d, outputs (i, j) read nothing
// but the inputs whose row is i and whose column is j modulo d, so that the d x d phases of a map,
// each a map of its own, are convolved without dilation, by Winograd (kernels/conv/winograd.h).
//
//   x [N,H,W,C] -> phases [N d^2, H/d, W/d, C];   padding d in x is padding 1 in a phase
//
// It costs a copy of what goes in and of what comes out. CPU time of one core, 16 images of 40x40,
// ms, a direct sum | this:
//   64 -> 80, dilation 4    forward 23.5 | 12.1   data 22.9 | 12.4   weights  30.3 | 12.4
//   80 -> 256, dilation 2   forward 92.3 | 30.8   data 94.0 | 33.6   weights 109.4 | 37.7
#include "kernels/conv/conv2d.h"

namespace cairn {

/// Whether there are whole phases, and Winograd serves them: f32, 3x3, stride 1, a padding as large
/// as the dilation, 32 or more channels on both sides.
bool dilated_serves(const Tensor& x, const Tensor& w, const Conv2dOptions& options);

/// y = act(conv(x, w) + bias).
void dilated(const Tensor& x, const Tensor& w, int dilation, const Epilogue& epilogue, Tensor& y);
void dilated_backward_data(const Tensor& dy, const Tensor& w, int dilation, Tensor& dx);
void dilated_backward_weights(const Tensor& x, const Tensor& dy, int dilation, Tensor& dw);

}  // namespace cairn
