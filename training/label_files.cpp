#include "training/label_files.h"

#include <filesystem>
#include <map>

#include "models/keypoint_files.h"
#include "runtime/error.h"

namespace cairn {

std::vector<std::string> label_paths(const std::string& folder,
                                     const std::vector<std::string>& images) {
  std::map<std::string, int> uses;
  for (const std::string& image : images) ++uses[std::filesystem::path(image).stem().string()];
  std::vector<std::string> paths;
  for (const std::string& image : images) {
    const std::filesystem::path path(image);
    const std::string stem = path.stem().string();
    paths.push_back(folder + "/" + (uses[stem] > 1 ? path.filename().string() : stem) + ".npz");
  }
  std::map<std::string, size_t> owner;
  for (size_t i = 0; i < paths.size(); ++i)
    if (const auto [it, first] = owner.emplace(paths[i], i); !first)
      throw Error(images[i], text("it has the file name of ", images[it->second]),
                  "images of different names, as their labels lie in one folder",
                  "rename one of them, or label the folders apart");
  return paths;
}

Keypoints read_labels(const std::string& path, int64_t height, int64_t width) {
  ImageKeypoints labels = read_keypoints_npz(path);
  if (labels.width == 0) {
    int64_t outside = 0;
    for (const auto& [x, y] : labels.keypoints.points)
      outside += !(x >= -0.5f && x < float(width) - 0.5f && y >= -0.5f && y < float(height) - 0.5f);
    if (outside)
      throw Error(path,
                  text(outside, " of ", labels.keypoints.points.size(), " points are outside"),
                  text("points inside an image of ", width, " x ", height),
                  "make the labels again for images of this size");
  } else if (labels.width != width || labels.height != height) {
    throw Error(path, text("it labels an image of ", labels.width, " x ", labels.height),
                text("one of ", width, " x ", height),
                "use the size that the labels were made at, or make them again with cairn label");
  }
  return labels.keypoints;
}

}  // namespace cairn
