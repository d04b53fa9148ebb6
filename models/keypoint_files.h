#pragma once
// Keypoints of one image as a file, for other programs and for training: NPZ both ways, and the
// text that COLMAP imports.
#include <cstdint>
#include <string>

#include "models/keypoints.h"

namespace cairn {

struct ImageKeypoints {
  Keypoints keypoints;
  int64_t width = 0, height = 0;  ///< of the image, in pixels; 0 when the file does not say
};

/// NPZ, with the arrays
///   keypoints    [K,2] f32: (x, y) in pixels, integers are pixel centres
///   scores       [K] f32
///   descriptors  [K,D] f32, absent when there are none
///   image_size   [2] i32: width, height
/// K may be 0. Replaces `path` atomically.
void write_keypoints_npz(const std::string& path, const Keypoints& keypoints, int64_t width,
                         int64_t height);

/// Reads such a file, also one that others made: only `keypoints` must be there (scores are then
/// 1), real numbers may be of any type that read_npz() reads, other arrays are left alone. Throws
/// an Error that lists everything wrong: arrays of another shape or length, numbers that are not
/// finite, points outside of the image (which covers -1/2 .. width - 1/2).
ImageKeypoints read_keypoints_npz(const std::string& path);

/// The text that `colmap feature_importer` reads: "K 128", then for each point "x y scale
/// orientation" and 128 integers. The importer takes no other length and its matcher expects SIFT,
/// so these are 0; scale is 1, orientation 0. COLMAP's corner of the first pixel is (0, 0) and its
/// centre (1/2, 1/2), hence half a pixel is added. Replaces `path` atomically.
void write_keypoints_colmap(const std::string& path, const Keypoints& keypoints);

}  // namespace cairn
