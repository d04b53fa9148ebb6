#pragma once
// Matches between the keypoints of two images: each descriptor's nearest one of the other image.
#include <vector>

#include "models/keypoints.h"
#include "runtime/device.h"

namespace cairn {

struct Match {
  int a, b;     ///< indices into the two sets of keypoints
  float score;  ///< cosine of the two descriptors
};

/// Which nearest neighbours count. Distances are Euclidean, of unit descriptors: sqrt(2 - 2
/// cosine).
struct MatchOptions {
  bool mutual = true;       ///< a must also be the nearest one of b
  double max_ratio = 0;     ///< nearest / second nearest distance stays below this; 0: no test
  double max_distance = 0;  ///< the distance stays below this; 0: no test
};

/// By rising `a`, each at most once. Descriptors are of unit length; of equally near ones the first
/// counts. Binary descriptors of n bits match by Hamming distance as n numbers +-1/sqrt(n).
/// Throws an Error when a set has no descriptors, has another number of them than of points, or
/// when their sizes differ. An empty set has no matches.
std::vector<Match> match_keypoints(const Keypoints& a, const Keypoints& b,
                                   const MatchOptions& options = {}, Device device = Device::cpu);

}  // namespace cairn
