#pragma once
// How much discovered landmarks know of annotated ones: annotated points are regressed linearly
// from the discovered ones on labelled images, and their error is measured on others. The protocol
// of Thewlis, Bilen, Vedaldi, "Unsupervised Learning of Object Landmarks by Factorized Spatial
// Embeddings", ICCV 2017, and of Zhang et al., "Unsupervised Discovery of Object Landmarks as
// Structural Representations", CVPR 2018.
//
// Points are tensors [N, K, 2] of float32 or float64 on cpu: (x, y) in image sides, half-pixel, so
// that the middle of the image is 1/2. A point with a NaN is missing. Every function throws an
// Error that lists what is wrong with its tensors: shapes, types, counts, infinite coordinates.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/tensor.h"
#include "training/keypoint_metrics.h"

namespace cairn {

struct RegressionOptions {
  bool bias = false;  ///< none in the papers above; centres both sides, which is not penalised
  double ridge =
      0;  ///< of the largest element of X^T X (Mallis et al., NeurIPS 2020: 0.001 .. 0.1)
};

/// to = from B, both minus 1/2 (with a bias: minus their means), by least squares in float64:
///
///   B = (X^T X + ridge max(X^T X) I)^-1 X^T Y
///
/// with a ridge of 1e-6 where X^T X is singular: landmarks that coincide, or fewer images than
/// coordinates. Each point of `to` is fitted on the images that have it and all points of `from`.
class LandmarkRegression {
 public:
  /// [N,K,2] and [N,P,2]. Throws an Error also on a point without any image to fit it on.
  LandmarkRegression(const Tensor& from, const Tensor& to, const RegressionOptions& options = {});

  /// [M,K,2] -> f64 [M,P,2]. A missing point is replaced by its mean over the images of the fit.
  Tensor predict(const Tensor& from) const;

 private:
  int64_t from_points_, to_points_;
  std::vector<double> mean_;     // 2K, of `from`
  std::vector<double> weights_;  // [2K + 1, 2P]; the last row is the offset
};

/// The distance of points a and b in each image of [N,P,2], for example of the eyes (inter-ocular);
/// NaN where one is missing or both coincide.
std::vector<double> reference_lengths(const Tensor& annotated, std::array<int, 2> ends);

/// Errors of [N,P,2] against the truth, one instance an image; points that the truth misses are
/// left out, and images without a length count in pixels() alone, which are image sides here.
KeypointErrors landmark_errors(const Tensor& predicted, const Tensor& truth,
                               std::span<const double> lengths);

/// Labelled images.
struct LandmarkSplit {
  Tensor discovered, annotated;  ///< [N,K,2], [N,P,2]
};

/// In percent of the distance of the annotated points `ends`: 100 times the mean over the test
/// images of the mean over their points.
struct LandmarkScores {
  double error;                ///< of the annotated points, from the discovered ones
  double mean_shape;           ///< the same where no image is looked at: always their mean
  std::vector<double> points;  ///< P: the first by point
};
LandmarkScores landmark_scores(const LandmarkSplit& fit, const LandmarkSplit& test,
                               std::array<int, 2> ends, const RegressionOptions& options = {});

/// The same the other way round: the error of the discovered points, regressed from the annotated
/// ones. It shows landmarks that do not follow the object.
double backward_error(const LandmarkSplit& fit, const LandmarkSplit& test, std::array<int, 2> ends,
                      const RegressionOptions& options = {});

/// The error after a fit on so many images.
struct LabelEfficiency {
  int64_t images;
  double mean, sd;  ///< over random subsets of the images
};
/// For 1, 5, 10, 100, 500, 1000 and 5000 images, as far as there are more, ten subsets each, drawn
/// from those without missing points; at last for all images, once.
std::vector<LabelEfficiency> label_efficiency(const LandmarkSplit& fit, const LandmarkSplit& test,
                                              std::array<int, 2> ends,
                                              const RegressionOptions& options = {},
                                              uint64_t seed = 0);

}  // namespace cairn
