#pragma once
// A homography from correspondences of which many are wrong.
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "geometry/homography.h"

namespace cairn {

/// How a hypothesis is judged by the distances that it leaves.
enum class RobustScore : uint8_t {
  inliers,  ///< RANSAC: the number of points within the threshold
  magsac,   ///< MAGSAC++ (Barath et al., CVPR 2020): the noise's size marginalised (magsac.h)
};

struct RansacOptions {
  /// Pixels: |H from - to| of an inlier is at most this. MAGSAC++ takes it for 1.5 times the
  /// largest standard deviation of the noise, and weighs matches up to 2.4 times as far off.
  double threshold = 3;
  double confidence = 0.995;  ///< of having drawn one sample without outliers
  int max_iterations = 2000;
  uint64_t seed = 0;  ///< the same seed gives the same result
  RobustScore score = RobustScore::inliers;
};

struct RobustHomography {
  std::optional<Matrix3> homography;  ///< h33 = 1; none: no four points agree on one
  std::vector<uint8_t> inliers;       ///< for each correspondence 0 or 1; all 0 without homography
  int iterations = 0;                 ///< samples drawn

  int inlier_count() const;
};

/// RANSAC (Fischler and Bolles 1981) with local optimisation (Chum, Matas and Kittler 2003): each
/// best hypothesis so far is fitted again to its inliers. Fewer than four correspondences, and sets
/// that fix no homography (all on a line, copies of one point), give no homography, never an Error.
/// Throws an Error on unequal counts or options out of range.
RobustHomography ransac_homography(std::span<const Point> from, std::span<const Point> to,
                                   const RansacOptions& options = {});

/// How many homographies with so many inliers are to be expected among those through any four of
/// `matches` that are all wrong, their second points anywhere in `area` square pixels (Moisan and
/// Stival, IJCV 2004: the number of false alarms). From 1 on chance explains the inliers.
double homographies_by_chance(int matches, int inliers, double threshold, double area);

}  // namespace cairn
