#pragma once
// The robust estimators by name: ours, and OpenCV's where the build has it.
#include <string>

#include "geometry/ransac.h"

namespace cairn {

enum class HomographyEstimator {
  ransac,  ///< geometry/ransac.h, RobustScore::inliers
  magsac,  ///< the same with RobustScore::magsac
  usac,    ///< OpenCV's USAC_MAGSAC
};
const char* name(HomographyEstimator);

/// By name; throws a UsageError that names `option` on another one, or on one this build lacks.
HomographyEstimator parse_homography_estimator(const std::string& option, const std::string& value);

/// As ransac_homography(); `options.score` is not used. OpenCV's does not tell its iterations.
RobustHomography estimate_homography(HomographyEstimator estimator, std::span<const Point> from,
                                     std::span<const Point> to, RansacOptions options = {});

}  // namespace cairn
