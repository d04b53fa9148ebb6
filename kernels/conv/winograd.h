#pragma once
// Winograd convolution F(4x4, 3x3) on the CPU (Lavin & Gray, "Fast Algorithms for Convolutional
// Neural Networks", CVPR 2016): 36 products in place of 144 for each 4x4 tile of outputs.
//
//   y = A' [ (G g G') . (B' d B) ] A    d: 6x6 inputs of a tile, g: the 3x3 kernel, .: elementwise
//   G g G' and B' d B are summed over channels as 36 products of matrices [tiles,C] [C,O].
//
// The gradient of the input is the same convolution with the kernel turned by 180 degrees and its
// channels exchanged; the gradient of the weights is the transpose of the formula in g:
//   dg = G' [ sum over tiles of (A dy A') . (B' d B) ] G
//
// A thread takes a few tiles at a time, so that their transforms, products and outputs never leave
// its L2 cache: no image-sized intermediate exists. The transforms of the weights are made anew in
// each call (1-3 % of the time), which spares a cache that would have to notice when weights
// change.
//
// Error against float64, relative to the largest output, for normal inputs: 1.2e-6 to 1.8e-6 for 32
// and 64 channels, 2.6e-6 for 128, 3.4e-6 for 256, in each of the three directions
// (tests/kernels/winograd_test.cpp measures it).
#include <functional>
#include <vector>

#include "kernels/conv/conv2d.h"
#include "kernels/norm/channel_statistics.h"

namespace cairn {

/// Whether these sizes are served, and faster than by a direct sum: 3x3, stride 1, enough tiles to
/// pay for the transforms of the weights, and 32 or more channels on both sides that fill whole
/// vectors.
bool winograd_serves_wide(const Shape& x, const Shape& w, const Conv2dOptions& options);
/// The same in f32 for narrow layers too, whose last vector may be cut: 8 or more of C forward, 12
/// or more of O for the gradient of x, 12 or more of C for that of the weights; 3 or more on the
/// other side; outputs that fill three quarters of their tiles. One Zen 5 core, ms, oneDNN | this:
///   32x40x40,  8 -> 8    forward 0.54 | 0.48    data 0.47 | 0.55    weights 0.50 | 0.54
///   32x40x40,  8 -> 16   forward 0.54 | 0.47    data 1.30 | 0.60    weights 0.49 | 0.70
///   32x20x20, 12 -> 12   forward 0.20 | 0.14    data 0.17 | 0.14    weights 0.26 | 0.15
///   16x32x32, 16 -> 16   forward 0.33 | 0.18    data 0.30 | 0.18    weights 0.31 | 0.25
///   16x32x32, 75 -> 16   forward 1.36 | 0.70    data 1.54 | 0.77    weights 1.31 | 0.87
bool winograd_serves(const Tensor& x, const Tensor& w, const Conv2dOptions& options);
bool winograd_serves_data(const Tensor& dx, const Tensor& w, const Conv2dOptions& options);
bool winograd_serves_weights(const Tensor& x, const Tensor& dw, const Conv2dOptions& options);

/// y = pool2(act(conv(x, w) + bias)); w and bias f32, x and y both f32 or both bf16 (in memory:
/// what is between them stays f32; bf16, patches and norms take whole vectors of channels alone).
void winograd(const Tensor& x, const Tensor& w, int padding, const Epilogue& epilogue, Tensor& y);

/// The pixels [rows,columns] from (top,left) on of a map's image n, zeros where they lie outside.
struct MapPatch {
  int64_t n, top, left, rows, columns;
  float* to;  ///< [rows,columns,C]
};

/// winograd() of a map x [N,H,W,C] that is never there as a whole: `compute` makes the patch under
/// a few tiles at a time, from several threads; each pixel about 1.1 times. y f32 or bf16.
void winograd_of_patches(const Shape& x, const std::function<void(const MapPatch&)>& compute,
                         const Tensor& w, int padding, const Epilogue& epilogue, Tensor& y);

/// dx; `padding` is the forward's.
void winograd_backward_data(const Tensor& dy, const Tensor& w, int padding, Tensor& dx);

/// dw.
void winograd_backward_weights(const Tensor& x, const Tensor& dy, int padding, Tensor& dw);

/// The same three around a rectified norm, z = max((x - mean) scale + beta, 0), which is computed
/// on the way in and never stored. All f32.
///   forward           y = conv(z, w) + bias; the moments of y are gathered on the way out
///   backward data     g = dz where z > 0, else 0; `sums` [2][C] of g and of g (x - mean) likewise
///   backward weights  dw of conv(z, w)
PartMoments winograd_normed(const Tensor& x, const ChannelNorm<float>& norm, const Tensor& w,
                            int padding, const Tensor& bias, Tensor& y);
void winograd_backward_data_normed(const Tensor& dy, const Tensor& w, int padding, const Tensor& x,
                                   const ChannelNorm<float>& norm, Tensor& g,
                                   std::vector<double>& sums);
void winograd_backward_weights_normed(const Tensor& x, const ChannelNorm<float>& norm,
                                      const Tensor& dy, int padding, Tensor& dw);

}  // namespace cairn
