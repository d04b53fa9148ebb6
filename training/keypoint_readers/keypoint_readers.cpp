#include "training/keypoint_readers/keypoint_readers.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "runtime/error.h"
#include "training/keypoint_readers/formats.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string extension(const fs::path& path) {
  std::string e = path.extension().string();
  for (char& c : e) c = char(std::tolower(static_cast<unsigned char>(c)));
  return e;
}

ScannedDataset scan_json(const std::string& path) {
  const json root = read_json_file(path);
  if (root.is_object()) return scan_coco_json(path, root);
  const bool list = root.is_array() && !root.empty();
  if (list && root[0].contains("joints") && root[0].contains("joints_vis"))
    return scan_mpii_json(path, root);
  const bool results = list && root[0].contains("score") && root[0].contains("image_id");
  throw Error(path,
              results ? text("it holds ", root.size(), " results of a detector, no annotations")
                      : text("another schema: it is ", shown(root)),
              "COCO keypoints (an object with images, annotations and categories), or the list of "
              "persons of MPII",
              "docs/your_own_images.md shows a file");
}

}  // namespace

std::vector<std::string> annotation_files(const std::string& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<std::string> files;
  for (const fs::path& folder : {fs::path(path), fs::path(path) / "annotations"}) {
    if (!fs::is_directory(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder))
      if (const std::string e = extension(entry.path());
          entry.is_regular_file() && (e == ".json" || e == ".csv"))
        files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  if (files.empty())
    throw Error(path, "the folder has no annotations",
                "a .json file (COCO keypoints) or a .csv file of points in it or in annotations/",
                "docs/your_own_images.md shows how to make one");
  return files;
}

ScannedDataset scan_keypoint_dataset(const std::string& path) {
  const std::vector<std::string> files = annotation_files(path);
  if (files.size() > 1) {
    std::string names;
    for (const std::string& f : files)
      names += (names.empty() ? "" : ", ") + fs::path(f).filename().string();
    throw Error(path, text("the folder has ", files.size(), " annotation files: ", names),
                "one data set", "name one of the files");
  }
  ScannedDataset scanned = extension(files[0]) == ".csv" ? scan_csv(files[0]) : scan_json(files[0]);
  locate_images(scanned.data);
  return scanned;
}

KeypointDataset read_keypoint_dataset(const std::string& path) {
  ScannedDataset scanned = scan_keypoint_dataset(path);
  require_no_errors(scanned.data.source, scanned.problems);
  return std::move(scanned.data);
}

}  // namespace cairn
