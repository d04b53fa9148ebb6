#pragma once
// Keypoints of one image, as every detector of the project returns them.
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "geometry/point.h"

namespace cairn {

struct Keypoints {
  std::vector<std::array<float, 2>> points;  ///< (x, y) in pixels, integers are pixel centres
  std::vector<float> scores;  ///< one per point, higher is better; falling unless points have names
  std::vector<float> descriptors;  ///< [points, descriptor_size], row by row; may be empty
  int descriptor_size = 0;
  std::vector<uint8_t> visible = {};  ///< one per point: 0 hidden, 1 visible; empty where unknown
};

/// Points and scores, without descriptors.
inline std::vector<ScoredPoint> scored_points(const Keypoints& k) {
  std::vector<ScoredPoint> points;
  for (size_t i = 0; i < k.points.size(); ++i)
    points.push_back({k.points[i][0], k.points[i][1], k.scores[i]});
  return points;
}

}  // namespace cairn
