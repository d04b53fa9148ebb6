#pragma once
// Batches of augmented crops with what a codec's loss compares them with.
#include <memory>

#include "models/codecs/codec.h"
#include "training/image_cache.h"
#include "training/keypoint_augmentation.h"
#include "training/keypoint_examples.h"

namespace cairn {

struct KeypointBatches {
  int64_t height = 128, width = 128;  ///< of the crops
  KeypointAugmentation augmentation;
  uint64_t seed = 1;
};

/// Crops before their pixels are changed, or even cut, with their points.
struct DrawnCrops {
  /// What images_of() makes the images of: "plan" and "amounts" (kernels/augment/colour_jitter.h);
  /// and "crop" u8 [N,height,width,C] or, where a cache is to be cropped, "sources" and "maps"
  /// (kernels/warp/crop_images.h).
  Batch pixels;
  Tensor points, visibility;     ///< f32 [N,1,K,2] and u8 [N,1,K], in crop pixels; points outside
                                 ///< of their crop are missing
  std::vector<Matrix3> to_crop;  ///< from pixels of each example's image
};

/// The images, f32 [N,height,width,C] in 0..1, on the device of `pixels`; by launches alone.
/// `cache` is the one that they were drawn for, or null.
Tensor images_of(const Batch& pixels, const InputSize& size, const ImageCache* cache);

/// The examples' kept images on `device`; null if there are none and on cpu, where a copy would
/// save nothing.
std::unique_ptr<ImageCache> cache_of(const KeypointExamples& examples, Device device);

/// Batch `number` of training: the examples in another order in every epoch, or the next ones where
/// they never end; the same in any order of calls. `cache`: null or cache_of(examples).
DrawnCrops augmented_crops(const KeypointExamples& examples, const KeypointBatches& options,
                           int size, int64_t number, const ImageCache* cache = nullptr);

/// The same for networks that learn from the points. Throws an Error if not one point of the batch
/// lies in its crop, as its targets would be empty.
DrawnCrops training_crops(const KeypointExamples& examples, const KeypointBatches& options,
                          int size, int64_t number, const ImageCache* cache = nullptr);

/// Images with their points.
struct KeypointCrops {
  Tensor image, points, visibility;
  std::vector<Matrix3> to_crop;
};

/// The examples first .. first + size - 1 as they are.
KeypointCrops plain_crops(const KeypointExamples& examples, int64_t height, int64_t width,
                          int64_t first, int size);

/// "image", and what codec.encode() makes of the points.
Batch encoded(const KeypointCrops& crops, const Codec& codec);

/// The same in two parts. First, on cpu, crops.pixels and codec.annotations() of the points; then,
/// on any device, what follows from them.
Batch annotated(const DrawnCrops& crops, const Codec& codec, const InputSize& size);
Batch with_targets(const Batch& annotated, const Codec& codec, const InputSize& size,
                   const ImageCache* cache = nullptr);

}  // namespace cairn
