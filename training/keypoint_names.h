#pragma once
// Left and right in the names of keypoints.
#include <string>
#include <vector>

namespace cairn {

/// For each name the index of its partner in a mirror image, or its own: the name that differs in
/// left / right (in any case, anywhere: leftear, Right Shoulder) or in a single letter L / R (eyeL,
/// L_Eye, l_eye) alone.
std::vector<int> swap_by_names(const std::vector<std::string>& names);

}  // namespace cairn
