#pragma once
// A folder of label files beside a folder of images: which file belongs to which image.
#include <string>
#include <vector>

#include "models/keypoints.h"

namespace cairn {

/// The label file of each image: FOLDER/photo.npz for photos/photo.jpg. Images that share a stem
/// keep their endings: photo.jpg.npz, photo.png.npz. Labels are made and found by the same list of
/// images (image_files() of their folder), so that the two agree. Throws an Error when two images
/// have one file name.
std::vector<std::string> label_paths(const std::string& folder,
                                     const std::vector<std::string>& images);

/// The labels of an image of this size (see models/keypoint_files.h). Throws an Error when the file
/// is damaged, is for an image of another size, or has points outside of it.
Keypoints read_labels(const std::string& path, int64_t height, int64_t width);

}  // namespace cairn
