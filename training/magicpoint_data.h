#pragma once
// Training and test data of MagicPoint: synthetic shapes, augmented, as batches of tensors.
//
// The host draws numbers, and shapes that it has not drawn before; the device that learns warps and
// changes the images and renders the labels. A sample depends on the seed and its number alone.
#include <memory>
#include <vector>

#include "models/model.h"
#include "training/photometric.h"
#include "training/prefetcher.h"
#include "training/random_homography.h"
#include "training/shape_cache.h"
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

/// What the host draws of a batch: what is left is launches, for the device that learns from it.
struct MagicPointDraw {
  /// Rows as empty_detector_rows() has them, whose sources are images of the cache or of "shapes";
  /// "warp" f32 [N,3,3], output pixels to pixels of the shape; and, without a cache, "shapes" u8
  /// [N,H,W,1].
  Batch batch;
  std::vector<ShapeCache::Entry> entries;  ///< of the cache, one for each image
};

/// Samples number * size .. (number + 1) * size - 1 of the endless training set: each the same in
/// any order. Without a cache each shows a shape of its own, with one a random one of the cache's.
MagicPointDraw draw_magicpoint_batch(const MagicPointData& data, const ShapeCache* cache, int size,
                                     int64_t number);

struct DetectorBatch {
  Tensor image;  ///< f32 [N, H, W, 1] in 0..1
  Tensor label;  ///< i32 [N, H/8, W/8]: 0..63, or 64 where there is no point
  Tensor valid;  ///< u8 [N, H/8, W/8]: 1 where the whole cell shows the image that was warped
};

/// Three launches on the device of `shapes` and `drawn`, whatever the values.
DetectorBatch rendered(const Tensor& shapes, const Batch& drawn);

/// Both, on cpu and without a cache.
DetectorBatch magicpoint_batch(const MagicPointData& data, int size, int64_t number);

struct DetectorTestImage {
  Tensor image;  ///< f32 [H, W, 1] in 0..1
  std::vector<Point> points;
};

/// Test image `index`: primitives mixed as in training, random numbers apart from those of the
/// training set with the same seed. Clean, or with the photometric changes of training ("noisy").
DetectorTestImage magicpoint_test_image(const MagicPointData& data, int64_t index, bool noisy);

/// Batches in order, drawn ahead on `workers` threads (0: by the caller, with all threads).
class MagicPointLoader {
 public:
  MagicPointLoader(const MagicPointData& data, int batch_size, int workers, int64_t first_batch = 0,
                   std::shared_ptr<ShapeCache> cache = {});

  /// What the host draws of the next one. A cache has its shapes then.
  Batch next();
  /// What that becomes, on its device.
  DetectorBatch rendered(const Batch& drawn) const;
  int64_t next_number() const { return batches_.next_number(); }  ///< to resume from

 private:
  std::shared_ptr<ShapeCache> cache_;
  Prefetcher<MagicPointDraw> batches_;
};

}  // namespace cairn
