#pragma once
// Training and test data of MagicPoint: synthetic shapes, augmented, as batches of tensors.
#include <vector>

#include "training/photometric.h"
#include "training/prefetcher.h"
#include "training/random_homography.h"
#include "training/synthetic_shapes.h"

namespace cairn {

struct MagicPointData {
  SyntheticShapes shapes;
  bool augment_photometric = true;
  Photometric photometric = Photometric::synthetic_shapes();
  bool augment_homographic = true;  ///< after the photometric changes
  HomographyRange homography = HomographyRange::magicpoint();
  uint64_t seed = 1;
};

struct DetectorBatch {
  Tensor image;  ///< f32 [N, H, W, 1] in 0..1
  Tensor label;  ///< i32 [N, H/8, W/8]: 0..63, or 64 where there is no point
  Tensor valid;  ///< u8 [N, H/8, W/8]: 1 where the whole cell shows the image that was warped
};

/// Sample `index` of the endless training set: a batch of one, the same in any order.
DetectorBatch magicpoint_sample(const MagicPointData& data, int64_t index);

/// Batch `number`: the samples number * size .. (number + 1) * size - 1.
DetectorBatch magicpoint_batch(const MagicPointData& data, int size, int64_t number);

struct DetectorTestImage {
  Tensor image;  ///< f32 [H, W, 1] in 0..1
  std::vector<Point> points;
};

/// Test image `index`: primitives mixed as in training, random numbers apart from those of the
/// training set with the same seed. Clean, or with the photometric changes of training ("noisy").
DetectorTestImage magicpoint_test_image(const MagicPointData& data, int64_t index, bool noisy);

/// Batches in order, made ahead on `workers` threads (0: by the caller, with all threads).
class MagicPointLoader {
 public:
  MagicPointLoader(const MagicPointData& data, int batch_size, int workers, int64_t first_batch = 0)
      : batches_([=](int64_t number) { return magicpoint_batch(data, batch_size, number); },
                 workers, first_batch) {}

  DetectorBatch next() { return batches_.next(); }
  int64_t next_number() const { return batches_.next_number(); }  ///< to resume from

 private:
  Prefetcher<DetectorBatch> batches_;
};

}  // namespace cairn
