#pragma once
// Annotated keypoints from files. docs/your_own_images.md describes the formats for their writers.
//
// A path is a file or a folder. A folder stands for the .json and .csv files in it and in its
// subfolder annotations/. Images are looked for, as their names say, in the folder of the file,
// its images/, its folder of the file's name (train.csv: train/) and of the last word of that
// (person_keypoints_dev.json: dev/); for files in annotations/ also in these beside annotations/.
// The folder that holds most of them is taken.
#include <string>
#include <vector>

#include "training/dataset_problems.h"
#include "training/keypoint_dataset.h"

namespace cairn {

/// A file as far as it could be read: entries with errors are left out of `data` and named in
/// `problems`.
struct ScannedDataset {
  KeypointDataset data;
  Problems problems;
};

/// The file, or the annotation files of the folder, sorted. Throws an Error where there are none.
std::vector<std::string> annotation_files(const std::string& path);

/// Reads one annotation file, or the one in a folder; collects all problems of its contents. Throws
/// an Error when the file is of no known format (its text is not JSON, another schema, a CSV file
/// without header) or the folder has several.
ScannedDataset scan_keypoint_dataset(const std::string& path);

/// The same for those who want only data without errors: throws an Error with all of them.
KeypointDataset read_keypoint_dataset(const std::string& path);

}  // namespace cairn
