#include "training/failed_run.h"

#include "runtime/error.h"
#include "runtime/memory.h"
#include "training/checkpoint.h"
#include "training/memory_estimate.h"

namespace cairn {

TrainResult train_or_explain(const Recipe& recipe, const TrainOptions& options,
                             const std::function<void(const TrainProgress&)>& on_progress) {
  bool begun = false;
  const auto go_on = [&] {
    const int64_t step = begun ? checkpoint_step(options.out + "/checkpoint.safetensors") : -1;
    return step < 0 ? std::string()
                    : text("; the checkpoint of step ", step,
                           " is whole: go on with cairn train --resume ", options.out);
  };
  try {
    return train(recipe, options, [&](const TrainProgress& p) {
      begun = true;
      on_progress(p);
    });
  } catch (const UsageError&) {
    throw;
  } catch (const OutOfMemory& e) {
    throw Error(e.where, e.wrong, e.expected,
                text(e.remedy, "; ", batch_that_fits(recipe, options.device, options.activations),
                     go_on()));
  } catch (const Error& e) {
    throw Error(e.where, e.wrong, e.expected, e.remedy + go_on());
  }
}

}  // namespace cairn
