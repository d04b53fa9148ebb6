#pragma once
// Differentiable functions between heatmaps [N,H,W,K] and points [N,K,2]. Points are (x, y) in unit
// half-pixel coordinates: 0..1 spans the image, pixel j of W lies at (j + 1/2) / W. Each throws an
// Error that lists what does not fit.
#include "kernels/heatmap/disk_targets.h"
#include "kernels/heatmap/gaussian.h"
#include "kernels/heatmap/gaussian_targets.h"
#include "layers/tape.h"

namespace cairn {

/// One distribution over the pixels of every channel; `gain` > 0 sharpens it.
Var spatial_softmax(const Var& logits, double gain = 1);

struct PointMoments {
  Var point;     ///< [N,K,2]
  Var variance;  ///< [N,K,2], in squared unit coordinates
};
/// Mean and variance of the spatial softmax, without storing it.
PointMoments soft_argmax(const Var& logits, double gain = 1);
/// Mean and variance of a non-negative map, normalised by its sum.
PointMoments spatial_moments(const Var& map);

struct LandmarkMaps {
  Var maps;   ///< [N,H,W,K+1]: of every pixel, what belongs to each landmark; the background last
  Var point;  ///< [N,K,2]
  Var variance;  ///< [N,K,2], in squared unit coordinates
  Tensor zeta;   ///< [N,K]: the sum of a landmark's map; near 0, the landmark is dead
};
/// The softmax over the channels of each pixel of logits [N,H,W,K+1], and the zeta-normalised mean
/// and variance of all maps but the last (kernels/heatmap/landmark_maps.h).
LandmarkMaps landmark_maps(const Var& logits);

struct FieldMoments {
  Var mean;      ///< [N,K,2]
  Var variance;  ///< [N,K]: the trace of the covariance
};
/// Where the maps, distributions over the pixels, lie in a field of places [N,H,W,2], in its unit.
FieldMoments field_moments(const Var& p, const Tensor& field);

/// sqrt of the mean of both variances [N,K,2], in a frame of area 1 and width / height = aspect ->
/// [N,K].
Var isotropic_deviation(const Var& variance, double aspect = 1);

/// A blob for each point: centre [N,K,2], sigma and amplitude [N,K] -> [N,height,width,K].
Var gaussian(const Var& centre, const Var& sigma, const Var& amplitude, int64_t height,
             int64_t width, GaussianForm form = GaussianForm::plain);

/// Heatmaps to learn, [N,height,width,K], from points [N,M,K,2] in heatmap cells and visible
/// [N,M,K] u8; the options are those of kernels/heatmap/gaussian_targets.h.
Tensor gaussian_targets(const Tensor& points, const Tensor& visible, int64_t height, int64_t width,
                        const TargetOptions& options = {});

struct DiskTargets {
  Tensor disks, weights;  ///< [N,height,width,K]
  Tensor offsets;         ///< [N,height,width,2K], in cells
};
/// Disks about the points, and the ways there (kernels/heatmap/disk_targets.h); the same arguments,
/// and a radius > 0 in cells.
DiskTargets disk_targets(const Tensor& points, const Tensor& visible, int64_t height, int64_t width,
                         double radius);

}  // namespace cairn
