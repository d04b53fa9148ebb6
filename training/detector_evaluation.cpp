#include "training/detector_evaluation.h"

#include <memory>

#include "layers/prepared_weights.h"
#include "models/model.h"
#include "training/grey_image.h"

namespace cairn {

PointDetector model_detector(Model& model, Device device) {
  return [&model, device, weights = std::make_shared<InferenceWeights>()](const Tensor& image) {
    const InferenceWeights::Use use(*weights);
    DetectOptions options;
    options.threshold = 1e-3;
    options.border = 0;
    options.top_k = 300;
    const Tensor one =
        with_channels(image.reshape({1, image.dim(0), image.dim(1), 1}), model.channels());
    return scored_points(model.detect(one.to(device), options).at(0));
  };
}

DetectorScore evaluate_detector(const PointDetector& detector, const MagicPointData& data,
                                int64_t images) {
  DetectorMetrics clean, noisy;
  for (int64_t i = 0; i < images; ++i)
    for (bool with_noise : {false, true}) {
      const DetectorTestImage test = magicpoint_test_image(data, i, with_noise);
      (with_noise ? noisy : clean).add(detector(test.image), test.points);
    }
  return {clean.average_precision(), noisy.average_precision(), clean.localisation_error(),
          noisy.localisation_error()};
}

}  // namespace cairn
