#pragma once
// What distances between keypoints are divided by, so that errors of near and far objects compare.
//
//   torso        from right_shoulder to left_hip (FLIC, Leeds Sports)
//   head         0.6 times the diagonal of the head's box (MPII: PCKh)
//   side         the longer side of the box (PASCAL3D+)
//   box          sqrt(width height) of the tight box of the labelled points (faces)
//   interocular  between the outer corners of the eyes, points 36 and 45 of 68
//   interpupil   between the means of points 36..41 and of 42..47 of 68
//   A:B          between the points called A and B
//   pixels       1
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "training/keypoint_dataset.h"

namespace cairn {

class ReferenceLength {
 public:
  /// Throws a UsageError on a name that is none of these or needs points that `skeleton` has not.
  ReferenceLength(const std::string& name, const Skeleton& skeleton);

  const std::string& name() const { return name_; }
  /// NaN where it cannot be measured: a point or the head is not labelled, or the length is 0.
  double of(const Instance& instance) const;
  /// The two points that it lies between, if it is the distance of two.
  std::optional<std::array<int, 2>> ends() const;

 private:
  enum class Kind { between_points, head, side, box, pixels };

  std::string name_;
  Kind kind_;
  std::vector<int> from_, to_;  // between their means
};

/// What the field uses for such data: interocular of 68 points, head where heads have boxes, torso
/// where there are shoulders and hips, otherwise side.
std::string usual_reference(const KeypointDataset& data);

}  // namespace cairn
