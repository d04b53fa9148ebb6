#pragma once
// Evaluation of keypoints on image pairs with known homographies.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "training/homography_estimator.h"
#include "training/homography_protocol.h"
#include "training/homography_sequences.h"
#include "training/keypoint_method.h"

namespace cairn {

/// Means over pairs. NaN: not measured (no descriptors, not part of the protocol) or, for
/// repeatability and localisation error, no pair has points.
struct HomographyScores {
  double repeatability, localization_error, nn_map, matching_score;
  std::map<int, double> matching_accuracy;    ///< by radius: share of mutual matches within it
  std::map<int, double> homography_accuracy;  ///< share of pairs with a corner error within it
  std::map<int, double> homography_area;      ///< area under that share up to the radius (AUC)
  double points, matches;                     ///< per image; per pair
  double positive_cosine, negative_cosine;    ///< of true partners; of the hardest other point

  HomographyScores();  ///< nothing measured
};
HomographyScores mean(const std::vector<HomographyScores>& pairs);

/// The points of one image at both stages of a protocol.
struct ImageFeatures {
  struct Stage {
    Keypoints points;
    ImageSize size{};
    Matrix3 from_original;
  };
  Stage repeatability, matching;
};
ImageFeatures features(const KeypointMethod& method, const Tensor& image,
                       const HomographyProtocol& protocol);

/// `first_to_second` in pixels of the original images. Fewer than four matches, or none that agree,
/// count as no homography: 0 in its accuracy.
HomographyScores score_pair(const ImageFeatures& first, const ImageFeatures& second,
                            const Matrix3& first_to_second, const HomographyProtocol& protocol,
                            HomographyEstimator estimator);

struct HomographyEvaluation {
  std::vector<std::pair<std::string, std::vector<HomographyScores>>> sequences;  ///< by pair
  HomographyScores mean_of(const std::string& prefix) const;  ///< of names that begin so; "": all
};

/// `report` hears of each finished image with the sequence's name. Throws an Error for an image
/// that cannot be read.
HomographyEvaluation evaluate(
    const KeypointMethod& method, const std::vector<HomographySequence>& sequences,
    const HomographyProtocol& protocol, HomographyEstimator estimator,
    const std::function<void(const std::string& sequence)>& report = [](const std::string&) {});

}  // namespace cairn
