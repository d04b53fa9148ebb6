#pragma once
// Recorded optimizer steps: a network, its initial weights, one batch, and what the loss, the
// gradient norm and the weights did over a few steps in another framework. Reproducing them checks
// autograd, normalisation and optimizer at once.
//
// A folder holds replay.json (model, options, loss, optimizer, steps, losses, gradient_norms),
// weights.safetensors, weights_after.safetensors and batch.safetensors, in PyTorch's layouts.
#include <string>
#include <vector>

#include "runtime/device.h"
#include "runtime/dtype.h"

namespace cairn {

struct ReplayResult {
  std::string model;
  std::vector<double> losses, gradient_norms;  ///< ours, before each step
  std::vector<double> recorded_losses, recorded_gradient_norms;
  double max_relative_loss_error = 0;
  double max_weight_error =
      0;  ///< largest absolute difference to weights_after, statistics included
  std::string max_weight_name;
};

/// Runs the recording in `dir` in float32 or float64. Throws an Error when a file is missing or
/// damaged, and a UsageError when it asks for a model, loss or optimizer that is not there.
ReplayResult replay(const std::string& dir, Device device, DType precision);

}  // namespace cairn
