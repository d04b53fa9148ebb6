#pragma once
#include "training/trainer.h"

namespace cairn {

/// train(), whose Errors also say what still stands and what to do next: which step's checkpoint is
/// whole, if the run had begun, and after OutOfMemory how many images a step would fit.
TrainResult train_or_explain(const Recipe& recipe, const TrainOptions& options,
                             const std::function<void(const TrainProgress&)>& on_progress);

}  // namespace cairn
