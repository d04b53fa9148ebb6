#pragma once
// COCO keypoint files out, and results files in and out.
#include <string>
#include <vector>

#include "training/keypoint_dataset.h"

namespace cairn {

/// Writes a data set as COCO keypoints with flip_indices and sigmas in its category. Names of
/// images are relative to the file where they lie below its folder. What scan_keypoint_dataset()
/// reads from it is what was written, but for the last bit of a box's corner.
void write_coco_keypoints(const std::string& path, const KeypointDataset& data);

/// Writes a results file: [{"image_id", "category_id": 1, "keypoints": [x, y, score, ...],
/// "score"}]. Points that are not finite, because they were not found, are null there.
void write_coco_results(const std::string& path, const std::vector<PredictedInstance>& found);

/// Reads one; points of a score that is absent have 0. Throws an Error with all entries that are
/// not of that form, or have another number of keypoints.
std::vector<PredictedInstance> read_coco_results(const std::string& path, int keypoints);

}  // namespace cairn
