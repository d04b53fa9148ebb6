#pragma once
// Differentiable functions of a landmark autoencoder, which passes an image through points and a
// descriptor for each. Points are (x, y) in unit half-pixel coordinates. Each throws an Error that
// lists what does not fit.
#include "kernels/heatmap/gaussian_unpool.h"
#include "layers/tape.h"

namespace cairn {

/// The mean of the features under each mask: mask [N,H,W,K], at least 0, and features [N,H,W,S] ->
/// [N,K,S].
Var mask_pool(const Var& mask, const Var& features);

/// A linear map of its own for each group, x [N,K,I] and weight [K,O,I] -> [N,K,O]; bias [O], which
/// all groups share, may be an undefined Var.
Var grouped_linear(const Var& x, const Var& weight, const Var& bias);

/// Normalised Gaussians at the points and a constant background (K+1 maps), and the values spread
/// by them (S maps), for each of 1 to 16 widths: centre [N,K,2], values [N,K+1,S] ->
/// [N,height,width,M (K+1+S)].
Var gaussian_unpool(const Var& centre, const Var& values, const std::vector<GaussianWidth>& widths,
                    int64_t height, int64_t width);

}  // namespace cairn
