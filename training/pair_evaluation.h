#pragma once
// Evaluation of keypoints on synthetic pairs.
#include "training/homography_evaluation.h"
#include "training/synthetic_pairs.h"

namespace cairn {

/// `pairs` pairs of each level, which are the evaluation's sequences. `report` hears of each pair.
HomographyEvaluation evaluate_pairs(
    const KeypointMethod& method, const TextureOptions& textures,
    const std::vector<PairLevel>& levels, int64_t pairs, const HomographyProtocol& protocol,
    HomographyEstimator estimator,
    const std::function<void(const std::string& level)>& report = [](const std::string&) {});

}  // namespace cairn
