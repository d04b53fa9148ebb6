#pragma once
// A small COCO file that tests spoil in one place each.
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/atomic_file.h"
#include "runtime/image.h"
#include "tests/temporary_folder.h"
#include "training/keypoint_readers/keypoint_readers.h"

namespace cairn {

/// Two images of 40 x 30, a.png with annotations 7 and 8, b.png with 9; nose, left_eye, right_eye.
inline nlohmann::json small_coco() {
  return nlohmann::json::parse(R"({
    "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30},
               {"id": 2, "file_name": "b.png", "width": 40, "height": 30}],
    "annotations": [
      {"id": 7, "image_id": 1, "category_id": 3, "bbox": [2, 3, 20, 10], "area": 90,
       "num_keypoints": 3, "keypoints": [10, 8, 2, 12.5, 6, 2, 8, 6.25, 1]},
      {"id": 8, "image_id": 1, "category_id": 3, "bbox": [20, 3, 10, 10], "area": 50, "iscrowd": 1,
       "keypoints": [0, 0, 0, 0, 0, 0, 0, 0, 0]},
      {"id": 9, "image_id": 2, "category_id": 3, "bbox": [4, 4, 20, 20], "area": 200,
       "num_keypoints": 2, "keypoints": [14, 10, 2, 0, 0, 0, 12, 8, 2]}],
    "categories": [{"id": 3, "name": "face", "keypoints": ["nose", "left_eye", "right_eye"],
                    "skeleton": [[1, 2], [1, 3]]}]})");
}

/// A folder with such a file, and both images.
class SmallCoco {
 public:
  SmallCoco() {
    Tensor image = Tensor::empty({30, 40, 1}, DType::u8);
    std::fill_n(image.data<uint8_t>(), image.count(), uint8_t{90});
    for (const char* name : {"a.png", "b.png"}) write_png(folder_ / name, image);
  }

  std::string write(const std::string& text) const {
    write_file(folder_ / "points.json", text);
    return folder_ / "points.json";
  }
  ScannedDataset scan(const nlohmann::json& root) const {
    return scan_keypoint_dataset(write(root.dump()));
  }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  TemporaryFolder folder_;
};

/// The places of one kind.
inline std::vector<std::string> places(const Problems& problems, Problem kind) {
  const auto it = problems.places().find(kind);
  return it == problems.places().end() ? std::vector<std::string>{} : it->second;
}

}  // namespace cairn
