#pragma once
// What a training step will need, before anyone waits for it to fail.
#include <string>

#include "runtime/device.h"
#include "runtime/dtype.h"
#include "training/recipe.h"

namespace cairn {

/// bytes(batch) = fixed + batch * per_image: weights, optimizer state and images that are kept; and
/// activations.
struct MemoryEstimate {
  int batch = 0;  ///< the recipe's
  double fixed = 0, per_image = 0;

  double bytes(int64_t images) const { return fixed + per_image * double(images); }
  /// 0 if not even one image fits.
  int64_t largest_batch(double available) const;
};

/// Runs one step with four images and one with eight, and draws the line through their peaks, so
/// that the memory of a large step is never asked for. Throws a UsageError unless the recipe sets
/// train.batch, and what its task and model throw. `activations`: TrainOptions'.
MemoryEstimate estimate_memory(const Recipe& recipe, Device device, DType activations = DType::f32);

/// What to tell somebody whose training stopped for lack of memory: how many images a step would
/// fit, as far as small steps can say, or that not even those do.
std::string batch_that_fits(const Recipe& recipe, Device device, DType activations);

}  // namespace cairn
