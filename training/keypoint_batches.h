#pragma once
// Batches of augmented crops with what a codec's loss compares them with.
#include "models/codecs/codec.h"
#include "training/keypoint_augmentation.h"
#include "training/keypoint_examples.h"

namespace cairn {

struct KeypointBatches {
  int64_t height = 128, width = 128;  ///< of the crops
  KeypointAugmentation augmentation;
  uint64_t seed = 1;
};

/// Crops with their points: "image" f32 [N,height,width,C], "points" f32 [N,1,K,2] and "visibility"
/// u8 [N,1,K] in crop pixels. Points outside of their crop are missing.
struct KeypointCrops {
  Tensor image, points, visibility;
  std::vector<Matrix3> to_crop;  ///< from pixels of each example's image
};

/// Batch `number` of training: the examples in another order in every epoch, or the next ones where
/// they never end; the same in any order of calls.
KeypointCrops augmented_crops(const KeypointExamples& examples, const KeypointBatches& options,
                              int size, int64_t number);

/// The same for networks that learn from the points. Throws an Error if not one point of the batch
/// lies in its crop, as its targets would be empty.
KeypointCrops training_crops(const KeypointExamples& examples, const KeypointBatches& options,
                             int size, int64_t number);

/// The examples first .. first + size - 1 as they are.
KeypointCrops plain_crops(const KeypointExamples& examples, int64_t height, int64_t width,
                          int64_t first, int size);

/// "image", and what codec.encode() makes of the points.
Batch encoded(const KeypointCrops& crops, const Codec& codec);

}  // namespace cairn
