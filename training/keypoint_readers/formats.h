#pragma once
// The formats behind scan_keypoint_dataset(), and what they share. Each reader leaves the names of
// images as written; locate_images() turns them into paths.
#include <optional>
#include <string>

#include "training/keypoint_readers/json_values.h"
#include "training/keypoint_readers/keypoint_readers.h"

namespace cairn {

/// COCO keypoints: {"images": [], "annotations": [], "categories": []}. Keypoints are taken as they
/// are (integers are pixel centres), boxes count from the border of the first pixel. A category may
/// have flip_indices (K indices from 0) and sigmas (K) beside keypoints and skeleton (from 1; from
/// 0 if a 0 occurs). Without, swaps follow left and right in the names. An annotation may have
/// head_bbox beside bbox.
ScannedDataset scan_coco_json(const std::string& path, const nlohmann::json& root);

/// MPII persons as [{"image", "joints": [16][2], "joints_vis": [16], "center", "scale"}], which
/// count pixels from 1. The box is the square of side 200 scale around the centre.
ScannedDataset scan_mpii_json(const std::string& path, const nlohmann::json& root);

/// file,NAME_x,NAME_y,NAME_v,... with one row for each instance, and keypoints.txt beside it.
/// Without columns NAME_v a point is missing where its fields are empty or nan.
ScannedDataset scan_csv(const std::string& path);

/// keypoints.txt beside an annotation file: lines "index name mirrored-index [parent-index]" and
/// comments with #. Bones lead from each point to its parent (-1: none).
std::optional<Skeleton> read_keypoints_txt(const std::string& annotation_file, Problems& problems);

/// Adds bad_names and bad_swap; a swap that does not lead back becomes the identity. Without swap
/// (empty) partners are found by left and right in the names; no_swap is added where there are
/// none.
void check_skeleton(Skeleton& skeleton, Problems& problems);

/// See keypoint_readers.h.
void locate_images(KeypointDataset& data);

}  // namespace cairn
