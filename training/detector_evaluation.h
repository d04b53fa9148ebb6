#pragma once
// Average precision and localisation error of a detector on fresh synthetic shapes, clean and
// noisy.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "training/detector_metrics.h"
#include "training/magicpoint_data.h"

namespace cairn {

class Model;

/// Points of a grey image, f32 [H,W,1] in [0,1].
using PointDetector = std::function<std::vector<ScoredPoint>(const Tensor& image)>;

/// A model as a detector on `device`: greedy suppression of radius 4, no border (labels reach the
/// edge), every point above 1e-3. While it lives the model's weights stay as they are.
PointDetector model_detector(Model& model, Device device);

struct DetectorScore {
  double ap_clean, ap_noisy;        ///< average precision within 3 px
  double error_clean, error_noisy;  ///< mean distance in pixels of points above 0.5; NaN: none
};

/// Over `images` test images of `data`, each clean and noisy.
DetectorScore evaluate_detector(const PointDetector& detector, const MagicPointData& data,
                                int64_t images);

}  // namespace cairn
