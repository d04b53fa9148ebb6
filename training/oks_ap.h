#pragma once
// Average precision of predicted instances, as COCO defines it for keypoints (pycocotools,
// cocoeval.py): detections are matched to annotations by the similarity of their keypoints.
#include <array>
#include <span>
#include <vector>

#include "training/keypoint_dataset.h"

namespace cairn {

/// OKS = mean over labelled points of exp(-d^2 / (8 sigma^2 area)). With an annotation that has no
/// labelled points, d is the distance to its box enlarged to three times its sides, and the mean is
/// over all points. A predicted point at NaN is infinitely far.
double object_similarity(const Instance& truth, std::span<const ScoredPoint> predicted,
                         std::span<const double> sigmas);

/// .50, .55 .. .95
std::array<double, 10> similarity_thresholds();

/// What COCO's table lists. -1: nothing is annotated in that range.
struct ObjectPrecision {
  double ap = -1, ap50 = -1, ap75 = -1, ap_medium = -1, ap_large = -1;
  double ar = -1, ar50 = -1, ar75 = -1, ar_medium = -1, ar_large = -1;
};

/// Medium is an area of 32^2 .. 96^2, large of 96^2 and more. Crowds, and annotations without
/// labelled points or outside of the range, are ignored: what is matched to them counts neither
/// way. Equal scores keep the order of images by id, then of `found`.
///
/// Throws an Error when `sigmas` is not one positive number per keypoint, a detection has another
/// number of points, or an image that the data set has not.
ObjectPrecision object_precision(const KeypointDataset& truth,
                                 std::span<const PredictedInstance> found,
                                 std::span<const double> sigmas, int max_detections = 20);

/// Mean over the recalls 0, .01 .. 1 of the best precision at that recall or a higher one.
/// `correct` says of the detections in falling order of score whether each is right.
double average_precision_101(const std::vector<bool>& correct, int64_t annotated);

}  // namespace cairn
