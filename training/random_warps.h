#pragma once
// Random smooth maps g = T o A (kernels/warp/warp_points.h) for equivariance: an image and its copy
// I'(p') = I(g(p')) must show the same landmarks (Zhang et al., "Unsupervised Discovery of Object
// Landmarks as Structural Representations", CVPR 2018; Thewlis et al., "Unsupervised Learning of
// Object Landmarks by Factorized Spatial Embeddings", ICCV 2017).
//
// A is drawn first, in coordinates of -1..1 over the image: a similarity is one of a square image.
// T moves its control points by N(0, sd^2) in x and y. While it folds where A leads the image
// (geometry/thin_plate.h), it is drawn again with 0.8 of the sd; after ten draws g is A alone. On a
// 7 x 7 grid 1 draw in 10 folds at sd 0.05, 3 in 4 at 0.07 and all at 0.1: the moves that remain
// have a standard deviation of 0.049, 0.057 and 0.057 (measured).
//
// All maps are f32 on the cpu, and depend on the state of `random` and the arguments alone.
#include <variant>
#include <vector>

#include "kernels/warp/warp_points.h"
#include "runtime/random.h"

namespace cairn {

/// A p = s R p + t: Zhang's.
struct SimilarityRange {
  double rotation = 0.1745;   ///< standard deviation in radians: 10 degrees
  double log_scale = 0.2231;  ///< standard deviation of log s: log 1.25
  double translation = 0.15;  ///< uniform in +- this part of the image's side, x and y
};

/// A p = R diag(s_x, s_y) p + t: Thewlis', with what is published for the second image of a pair
/// (the first: scales 0.8 to 1.1, no translation).
struct AffineRange {
  double rotation = 0.5;                     ///< uniform in +- this, radians
  double scale_low = 0.7, scale_high = 1.2;  ///< s_x, uniform
  double aspect = 0.1;                       ///< standard deviation of s_y - s_x
  double translation = 0.05;                 ///< standard deviation, of the image's side
};

struct WarpRange {
  std::variant<SimilarityRange, AffineRange> affine;
  int side = 7;                         ///< control points: centres of side^2 cells; 0: no spline
  double displacement = 0.07;           ///< standard deviation of their moves, of -1..1
  double landmark_displacement = 0.05;  ///< the same where landmarks are the control points
};

/// `count` maps that share a grid of control points. Throws an Error unless side is 0 or > 1.
PointWarp random_warps(const WarpRange& range, int64_t count, Random& random);

/// One map for each image, whose landmarks [N,K,2], in unit coordinates, are the control points.
/// They may coincide: the spline has a ridge of 1e-3. Throws an Error where the shape is another,
/// or a landmark is not finite.
PointWarp random_warps_about(const Tensor& landmarks, const WarpRange& range, Random& random);

/// `warps` with those of the given images, in rising order, taken from `others`, in their order.
/// Splines of fewer control points are filled up with points of weight 0.
PointWarp with_warps(const PointWarp& warps, const std::vector<int64_t>& images,
                     const PointWarp& others);

}  // namespace cairn
