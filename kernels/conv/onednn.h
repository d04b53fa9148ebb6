#pragma once
// Convolutions that oneDNN does faster than the project's own code, in builds that have it.
// onednn.cpp is the one file that includes its headers; 2.6 and 3.x.
//
// Measured on one Zen 5 core, ms, own | oneDNN 2.6.3 with its reorders of the weights:
//   256x256, 3 -> 64, 7x7, stride 2    forward 1.62 | 1.28    weights 2.67 | 2.16
//   256x256, 3 -> 16, 3x3              forward 0.59 | 0.31    weights 1.45 | 0.48
// It is not used where it was no faster: one-channel images (4.5 | 5.0 at 480x640), 1x1 (2.9 | 2.8
// for 256 -> 256), strided wide layers (weights 3.4 | 6.1), and where Winograd serves, which halves
// it. Its sums may be split by the number of threads, so weights trained through it repeat bit for
// bit only with as many threads; the project's own convolutions do so with any.
#include "kernels/conv/conv2d.h"

namespace cairn::onednn {

/// Narrow layers (2 to 31 channels on either side) with kernels larger than 1x1, f32, one group.
bool serves(const Tensor& x, const Tensor& w, const Conv2dOptions& options);
/// Of the epilogues: bias with none, relu or leaky_relu.
bool serves(const Epilogue& epilogue);

void conv2d(const Tensor& x, const Tensor& w, const Conv2dOptions& options,
            const Epilogue& epilogue, Tensor& y);
void conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                          Tensor& dx);
void conv2d_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                             Tensor& dw);

}  // namespace cairn::onednn
