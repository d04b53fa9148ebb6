#pragma once
// What is known of named points besides where they are, in memory and as options of a model.
#include <array>
#include <map>
#include <string>
#include <vector>

namespace cairn {

/// What is annotated: the same for every instance of a data set.
struct Skeleton {
  std::vector<std::string> names;         ///< K
  std::vector<int> swap;                  ///< K: the point that a mirror image has in its place
  std::vector<std::array<int, 2>> bones;  ///< pairs to draw a line between; may be empty
  std::vector<double> sigmas;             ///< K, of OKS (keypoint similarity); may be empty

  int keypoints() const { return int(names.size()); }
};

/// Points called "1" .. "K".
Skeleton numbered_skeleton(int points);

/// The sixteen joints of MPII Human Pose (Andriluka et al., CVPR 2014) in its order.
const Skeleton& mpii_skeleton();

class OptionReader;

/// The options that a model carries along for its user; they are no part of the network:
///   names = "nose,left_eye,right_eye"   swap = "0,2,1"   bones = "0-1,0-2"
/// What is empty is left out. Throws an Error if a name has a comma.
std::map<std::string, std::string> skeleton_options(const Skeleton& skeleton);

/// Reads them for K points. Without `names` they are called "1" .. "K"; without `swap` it is empty.
/// Throws a UsageError that lists everything that does not fit: another number of names, a swap
/// that is not its own inverse, a bone to a point that is not there.
Skeleton read_skeleton(OptionReader& read, int points);

}  // namespace cairn
