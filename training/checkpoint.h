#pragma once
// The full state of a training run in one safetensors file: weights, running statistics, optimizer
// state, averaged weights, and how far the run is, from which data and random numbers follow.
#include <string>

#include "models/model.h"
#include "training/optimizer.h"
#include "training/weight_average.h"

namespace cairn {

/// How far a run is.
struct RunState {
  int64_t step = 0;    ///< steps done
  double seconds = 0;  ///< that they took, over all calls that worked on the run
};

/// Writes atomically: a crash or a full disk leaves the last checkpoint whole. `average` may be
/// null, here and below.
void save_checkpoint(const std::string& path, Model& model, const Optimizer& optimizer,
                     const WeightAverage* average, const RunState& state);

/// The steps done of the checkpoint in a file, or -1 if there is no whole one.
int64_t checkpoint_step(const std::string& path);

/// Restores everything and returns how far the run is. Throws an Error that lists all mismatches
/// when the file is of another model or optimizer, or has averaged weights where the run has none
/// or the other way round, and changes nothing then.
RunState load_checkpoint(const std::string& path, Model& model, const Optimizer& optimizer,
                         const WeightAverage* average);

}  // namespace cairn
