#pragma once
// The full state of a training run in one safetensors file: weights, running statistics, optimizer
// state, and the number of steps done, from which data and random numbers follow.
#include <string>

#include "models/model.h"
#include "training/optimizer.h"

namespace cairn {

/// Writes atomically: a crash or a full disk leaves the last checkpoint whole.
void save_checkpoint(const std::string& path, Model& model, const Optimizer& optimizer,
                     int64_t step);

/// Restores everything and returns the number of steps done. Throws an Error that lists all
/// mismatches when the file is of another model or optimizer, and changes nothing then.
int64_t load_checkpoint(const std::string& path, Model& model, const Optimizer& optimizer);

}  // namespace cairn
