#pragma once
// The images named on a command line.
#include <functional>
#include <string>
#include <vector>

#include "runtime/tensor.h"

namespace cairn {

/// A folder stands for the images in it. Throws an Error for a folder without any.
std::vector<std::string> expand_images(const std::vector<std::string>& arguments);

/// Reads each image and hands it to `use` with its path. Those that cannot be read are skipped,
/// counted and named on stderr at the end; when none could be read, that is an Error. A single
/// image fails with its own Error. Returns the paths that were skipped.
std::vector<std::string> for_each_image(
    const std::vector<std::string>& paths, int channels,
    const std::function<void(const std::string& path, const Tensor& image)>& use);

}  // namespace cairn
