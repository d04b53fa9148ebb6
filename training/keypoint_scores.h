#pragma once
// A whole data set against what was predicted for it. docs/keypoint_metrics.md defines the numbers.
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "models/instance_detection.h"
#include "training/keypoint_dataset.h"
#include "training/oks_ap.h"

namespace cairn {

struct KeypointProtocol {
  std::string reference;           ///< training/reference_length.h
  std::vector<double> thresholds;  ///< of PCK, rising; tables of points show the last
  double alpha = 0;                ///< of AUC and failure rate

  /// What the field uses for such data; with this reference, unless it is empty.
  static KeypointProtocol usual(const KeypointDataset& data, const std::string& reference = "");
};

/// One keypoint, or left and right together.
struct PointScores {
  std::string name;
  int64_t labelled = 0;
  double pck = 0;          ///< at the last threshold
  double mean_pixels = 0;  ///< of those with a prediction
  double median_pixels = 0;
};

/// NaN stands where nothing could be measured.
struct KeypointScores {
  int64_t images = 0, instances = 0, labelled = 0;  ///< crowds do not count
  int64_t unpredicted = 0;     ///< labelled points without prediction: wrong, but in no mean
  int64_t without_length = 0;  ///< instances whose reference is not known: in pixels and OKS alone
  double mean_pixels = 0, median_pixels = 0;
  std::vector<double> pck;  ///< at each threshold; by heads without pelvis and thorax (PCKh)
  double pck_area = 0;      ///< mean over thresholds from 0 to the last
  double pck_visible = 0, pck_hidden = 0;  ///< at the last threshold
  double nme = 0, auc = 0, failure_rate = 0;
  std::vector<double> ced;  ///< share of instances at 0, alpha / 50 .. alpha
  std::vector<PointScores> keypoints, groups;
  ObjectPrecision oks;
};

/// Throws the Errors of object_precision(), and one when nothing at all is labelled. Annotations
/// are compared to the prediction made for their box where that is known; others to the free
/// prediction of their image that is most similar, the surest prediction first.
KeypointScores evaluate(const KeypointDataset& truth, std::span<const PredictedInstance> found,
                        const KeypointProtocol& protocol);

/// The skeleton's; where it has none 0.05 for each point.
std::vector<double> similarity_sigmas(const Skeleton& skeleton);

/// What a network finds in the annotated boxes of all images. Throws the Errors of read_image().
std::vector<PredictedInstance> predict_instances(
    Model& model, const KeypointDataset& data, const CropRule& rule, const DetectOptions& options,
    const InferencePlace& place, const std::function<void(const AnnotatedImage&)>& done = {});

}  // namespace cairn
