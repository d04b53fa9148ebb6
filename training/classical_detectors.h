#pragma once
// FAST, Harris and Shi-Tomasi corners, to compare a trained detector with. From OpenCV, which is
// needed for this comparison alone.
#include <vector>

#include "geometry/point.h"
#include "runtime/tensor.h"

namespace cairn {

enum class ClassicalDetector { fast, harris, shi_tomasi };
inline constexpr ClassicalDetector classical_detectors[] = {
    ClassicalDetector::fast, ClassicalDetector::harris, ClassicalDetector::shi_tomasi};
const char* name(ClassicalDetector);

/// Whether this build has OpenCV.
bool have_classical_detectors();

/// Corners of a grey image, f32 [H, W, 1] in 0..1, at least 5 pixels apart along x or y, at most
/// 300, the highest score first. Settings of the published comparison (grey values 0..255):
///   FAST        9 of 16 pixels, threshold 10; score: the largest threshold that still fires
///   Harris      block 4, Sobel 3, k = 0.04; score: the response
///   Shi-Tomasi  block 3, Sobel 3, at most 100 corners; score: the smaller eigenvalue relative to
///               the largest one in the image, from 1e-4
/// Throws an Error that says how to get OpenCV in a build without it.
std::vector<ScoredPoint> classical_corners(ClassicalDetector detector, const Tensor& image);

}  // namespace cairn
