#pragma once
// Synthetic shapes that are drawn when first asked for and then kept, their images as bytes on the
// device that learns from them: 90,000 of 120x160 are 1.7 GB.
#include <atomic>
#include <memory>

#include "runtime/host_staging.h"
#include "training/synthetic_shapes.h"

namespace cairn {

class ShapeCache {
 public:
  struct Entry {
    int64_t index;
    LabelledImage shape;  ///< its image is undefined if it is kept already
  };

  /// For the images 0 .. count - 1 of the sequence `seed`.
  ShapeCache(const SyntheticShapes& options, uint64_t seed, int64_t count, Device device);

  /// On any thread.
  Entry look_up(int64_t index) const;
  /// Keeps what is not kept yet, waiting for nothing. On one thread.
  void keep(const std::vector<Entry>& entries);

  int64_t count() const { return images_.dim(0); }
  const Tensor& images() const { return images_; }  ///< u8 [count, height, width, 1]

 private:
  const SyntheticShapes options_;
  const uint64_t seed_;
  Tensor images_;
  std::vector<std::vector<Point>> points_;
  std::unique_ptr<std::atomic<bool>[]> kept_;  // of each; its points are there before it is set
  HostStaging staging_;
};

}  // namespace cairn
