#pragma once
// What annotated images hold, and the rest of what can be wrong with them: everything that needs
// the whole data set or its images.
#include <cstdint>
#include <string>
#include <vector>

#include "training/keypoint_readers/keypoint_readers.h"

namespace cairn {

/// How much of each image file is read: its header, or all of it (a damaged file shows only then).
enum class ImageCheck { header, whole };

struct KeypointCounts {
  int64_t visible = 0, hidden = 0, missing = 0;  ///< of all instances but crowds
  int64_t outside = 0;                           ///< of the labelled ones, beyond their image
};

struct DatasetReport {
  int64_t images = 0;             ///< listed
  int64_t readable = 0;           ///< of these
  int64_t unlabelled_images = 0;  ///< without a labelled point
  int64_t instances = 0, crowds = 0;
  int64_t labelled = 0, outside = 0;      ///< points
  double median_size = 0;                 ///< of instances: the longer side of the box, in pixels
  std::vector<KeypointCounts> keypoints;  ///< K
  std::vector<bool> can_be_read;          ///< for each image
};

/// Opens all images (on all threads), counts, and adds what is wrong to scanned.problems. Images
/// whose annotation gives no size get that of their file.
DatasetReport inspect(ScannedDataset& scanned, ImageCheck check);

/// What training starts from: a file or folder, read and inspected. Throws an Error with all
/// errors at once. Images that are missing or cannot be read are left out; each is named in
/// `remarks`, and every other kind of warning with its first place.
KeypointDataset read_training_dataset(const std::string& path, std::vector<std::string>& remarks);

}  // namespace cairn
