#pragma once
// A network of named points on annotated images: predictions, errors, what its loss says, overlays.
#include <vector>

#include "models/image_detection.h"
#include "training/draw.h"
#include "training/keypoint_batches.h"
#include "training/keypoint_metrics.h"
#include "training/reference_length.h"

namespace cairn {

struct KeypointEvaluation {
  int64_t height = 128, width = 128;  ///< of the crops
  int64_t images = 0;                 ///< examples 0 .. images - 1
  int batch = 16;                     ///< so many crops at once
  bool flip = false;                  ///< average with the answers for mirror images
  int64_t pictures = 0;               ///< overlays of the first examples
};

struct KeypointResults {
  KeypointErrors errors;           ///< in pixels of the images, and in units of the reference
  KeypointErrors visible, hidden;  ///< of the points that are the one or the other
  double loss = 0;                 ///< mean over the crops
  double zero_loss = 0;            ///< the same of a prediction that says nothing
  /// Crops with the annotated points as green rings on pale bones, and the predicted ones as dots.
  std::vector<Tile> pictures;
};

/// Throws an Error if the model has no codec.
KeypointResults evaluate_keypoints(Model& model, Device device, const KeypointExamples& examples,
                                   const ReferenceLength& reference,
                                   const KeypointEvaluation& options);

}  // namespace cairn
