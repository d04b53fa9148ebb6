#pragma once
// Greedy non-maximum suppression of points anywhere in an image: a point is dropped when a surer
// one that was kept lies too near. The rules of published evaluations; for heatmaps see
// kernels/points/best_peaks.h.
#include <cstddef>
#include <vector>

#include "models/keypoints.h"

namespace cairn {

struct Suppression {
  enum class Rule {
    none,
    square,  ///< |dx| and |dy| of the rounded coordinates <= size
    boxes    ///< boxes of this side around both overlap by more than 0.1 of their union
  } rule = Rule::square;
  int size = 4;
  bool operator==(const Suppression&) const = default;
};

/// The points that stay, by falling score; of equal ones the first is the surer. Points outside of
/// the image are dropped.
Keypoints suppressed(const Keypoints& points, const Suppression& rule, int height, int width);

/// The points of these indices, in this order, with their scores and descriptors.
Keypoints chosen(const Keypoints& points, const std::vector<size_t>& indices);

}  // namespace cairn
