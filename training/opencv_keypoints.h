#pragma once
// The classical methods that keypoints are compared with, from OpenCV, at the settings that
// reproduce the reference rows of docs/evaluation.md.
#include <string>
#include <vector>

#include "models/keypoints.h"
#include "runtime/tensor.h"

namespace cairn {

/// Whether this build has OpenCV.
bool have_opencv_methods();
/// Throws an Error that says how to get OpenCV unless it is there for `method`.
void require_opencv(const std::string& method);

/// fast, harris, shi, orb, sift.
std::vector<std::string> opencv_methods();

/// Points of u8 [H,W,1] by falling score, none suppressed beyond 3x3, and unit descriptors:
///   fast    9 of 16 pixels, threshold 10; score: the largest threshold that still fires
///   harris  local maxima of the response, block 4, Sobel 3, k = 0.04
///   shi     local maxima of the smaller eigenvalue, block 3, Sobel 3
///   orb     at most 10,000 points, defaults; bits as 256 numbers +-1/16, whose cosine ranks as the
///           Hamming distance does
///   sift    contrast threshold 0.01, defaults; 128 numbers
/// Calls require_opencv().
Keypoints opencv_keypoints(const std::string& method, const Tensor& image);

}  // namespace cairn
