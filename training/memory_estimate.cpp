#include "training/memory_estimate.h"

#include <algorithm>

#include "runtime/available_memory.h"
#include "runtime/error.h"
#include "runtime/memory.h"
#include "training/trainer.h"

namespace cairn {
namespace {

// Of one step with so many images.
double peak_bytes(Recipe recipe, int images, Device device, DType activations) {
  recipe.set(text("train.batch=", images));
  TrainOptions options;
  options.device = device;
  options.activations = activations;
  options.dry_run = true;
  const auto run = [&] {
    memory(device).release_cached();
    memory(device).reset_peak();
    return double(train(recipe, options, [](const TrainProgress&) {}).peak_bytes);
  };
  if (device == Device::cuda) run();  // measures algorithms, in more memory than a step takes
  return run();
}

}  // namespace

int64_t MemoryEstimate::largest_batch(double available) const {
  return std::max<int64_t>(0, int64_t((available - fixed) / std::max(per_image, 1.0)));
}

MemoryEstimate estimate_memory(const Recipe& recipe, Device device, DType activations) {
  if (!recipe.has("train.batch"))
    throw UsageError("train.batch", "the recipe does not set it", "the images of one step",
                     "set it: memory grows with it");
  MemoryEstimate e;
  e.batch = int(Recipe(recipe).integer("train.batch", 1, 1, 4096));
  // With fewer images the peak is elsewhere, in the optimizer, say, and grows more slowly.
  const double four = peak_bytes(recipe, 4, device, activations),
               eight = peak_bytes(recipe, 8, device, activations);
  e.per_image = (eight - four) / 4;
  e.fixed = four - 4 * e.per_image;
  return e;
}

std::string batch_that_fits(const Recipe& recipe, Device device, DType activations) try {
  Recipe with_batch = recipe;
  if (!recipe.has("train.batch")) with_batch.set("train.batch=32");  // the trainer's default
  const MemoryEstimate e = estimate_memory(with_batch, device, activations);
  memory(device).release_cached();
  // A fifth is left for what the pool's blocks have beyond the bytes asked for.
  const int64_t most = e.largest_batch(0.8 * double(available_memory(device)));
  if (most < 1) return "not even one image a step would fit";
  return text("about ", most, most == 1 ? " image" : " images",
              " a step would fit: --set train.batch=", most);
} catch (const OutOfMemory&) {
  return "not even four images a step fit";
}

}  // namespace cairn
