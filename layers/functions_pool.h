#pragma once
// Differentiable pooling, upsampling and shuffles of images [N,H,W,C]. Each throws an Error that
// says what does not fit.
#include "kernels/pool/avg_pool.h"
#include "kernels/pool/max_pool.h"
#include "kernels/pool/resize_axis.h"
#include "layers/tape.h"

namespace cairn {

/// The largest value of every size x size window (at most 16 x 16).
Var max_pool(const Var& x, int size, int stride, int padding = 0);

/// The mean of every block of pixels; the blocks must cover the image.
Var avg_pool(const Var& x, const PoolBlock& block = {});

/// The mean of every size x size window that lies within the image; windows overlap.
Var window_mean(const Var& x, int size);

/// Every pixel becomes a factor x factor square.
Var upsample_nearest(const Var& x, int factor);

/// skip [N,2H,2W,C] plus low [N,H,W,C] doubled in size, in one pass.
Var upsample_add(const Var& skip, const Var& low);

/// The image resized to height x width by bilinear interpolation.
Var upsample_bilinear(const Var& x, int64_t height, int64_t width, Align align = Align::edges);

/// [N,H,W,D r^2] -> [N,rH,rW,D] and back; the order is that of kernels/heatmap/depth_to_space.h.
Var depth_to_space(const Var& deep, int r);
Var space_to_depth(const Var& wide, int r);

}  // namespace cairn
