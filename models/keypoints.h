#pragma once
// Keypoints of one image, as every detector of the project returns them.
#include <array>
#include <vector>

namespace cairn {

struct Keypoints {
  std::vector<std::array<float, 2>> points;  ///< (x, y) in pixels, integers are pixel centres
  std::vector<float> scores;                 ///< one per point, higher is better, falling
  std::vector<float> descriptors;  ///< [points, descriptor_size], row by row; may be empty
  int descriptor_size = 0;
};

}  // namespace cairn
