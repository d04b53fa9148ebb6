#pragma once
// Left and right in the names of keypoints.
#include <string>
#include <vector>

namespace cairn {

/// For each name the index of its partner in a mirror image, or its own: the name that differs in
/// left / right (in any case, anywhere: leftear, Right Shoulder) or in a single letter L / R (eyeL,
/// L_Eye, l_eye) alone.
std::vector<int> swap_by_names(const std::vector<std::string>& names);

/// What two partners are called without their sides: "wrist" of left_wrist and right_wrist, "eye"
/// of eyeL and eyeR; "" of names that differ otherwise.
std::string shared_name(const std::string& a, const std::string& b);

}  // namespace cairn
