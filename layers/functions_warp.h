#pragma once
// Sampling and warping of images [N,H,W,C]. Each throws an Error that lists what does not fit.
#include "kernels/warp/grid_sample.h"
#include "kernels/warp/warp_image.h"
#include "kernels/warp/warp_points.h"
#include "layers/tape.h"

namespace cairn {

/// Bilinear samples of an image at points [N,K,2] -> [N,K,C]; differentiable in both. A map of
/// stride t has pixel x of the image at index (x + 1/2)/t - 1/2.
Var sample_points(const Var& image, const Var& points,
                  const SampleOptions& options = {Coordinates::index, Padding::zeros});

/// The same for a grid [N,Ho,Wo,2] -> [N,Ho,Wo,C].
Var grid_sample(const Var& image, const Var& grid, const SampleOptions& options);

/// Images [N,H,W,C] (f32, f64 or u8) seen through one matrix [N,3,3] each, which leads from output
/// to input in pixel-centre index coordinates -> [N,height,width,C]. Not differentiable. `valid`,
/// if given, becomes [N,height,width] u8: 1 where the nearest input pixel exists.
Tensor warp_image(const Tensor& x, const Tensor& matrices, int64_t height, int64_t width,
                  const WarpOptions& options = {}, Tensor* valid = nullptr);

/// For each of so many images, the map that scales about their centre; of the type and on the
/// device of `like`.
PointWarp scaling_warp(int64_t images, double x, double y, const Tensor& like);

/// g of points [N,P,2] in unit half-pixel coordinates, likewise in unit coordinates; differentiable
/// in the points. Which way round: in an image seen through g, I'(p') = I(g(p')), what is found at
/// p' is what I shows at g(p').
Var warp_points(const Var& points, const PointWarp& warp);

/// g of the pixel centres of height x width images -> [N,height,width,2], in unit coordinates.
Tensor warped_grid(const PointWarp& warp, int64_t height, int64_t width);

/// Images [N,H,W,C] seen through g, of the type of the warp: I'(p') = I(g(p')), bilinear; beyond
/// its border the image continues with its border pixels. Not differentiable.
Tensor warp_smoothly(const Tensor& image, const PointWarp& warp);

/// Images [N,H,W,C] (f32 or f64) on a ground that is `padding` pixels wider on every side and has
/// the mean colour of each image's border. Not differentiable.
Tensor pad_border(const Tensor& x, int padding);

}  // namespace cairn
