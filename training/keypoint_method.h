#pragma once
// Whatever finds keypoints in an image, as the evaluation calls it: a model, or a classical method
// of OpenCV.
#include <functional>
#include <string>
#include <vector>

#include "models/image_detection.h"
#include "training/suppression.h"

namespace cairn {

struct KeypointMethod {
  std::string name;
  int channels = 1;  ///< of the images: 1 grey, 3 RGB
  /// All points of an image, u8 [H,W,channels], by falling score, suppressed as asked. With
  /// descriptors of unit length, or with descriptor_size 0.
  std::function<Keypoints(const Tensor& image, const Suppression&)> detect;
};

/// Threshold, border and refinement are those of `base`; suppression is the protocol's, and all
/// points are returned. Where no suppression is asked for, the model keeps that of `base`: its raw
/// heatmap is not a set of points. Borrows the model, whose weights stay as they are meanwhile.
KeypointMethod model_method(const std::string& name, Model& model, const DetectOptions& base,
                            const InferencePlace& place);

/// fast, harris, shi, orb, sift (OpenCV) and random. Throws a UsageError with the list for another
/// name, and an Error that says how to get OpenCV in a build without it.
KeypointMethod classical_method(const std::string& name);
std::vector<std::string> classical_method_names();

}  // namespace cairn
