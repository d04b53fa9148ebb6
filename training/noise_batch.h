#pragma once
// Something to learn where it does not matter what: to time steps, and to compare them.
#include "models/model.h"

namespace cairn {

/// What the loss of `model` takes for so many images of this size (Model::loss_inputs): uniform
/// noise, on cpu. The same seed gives the same.
Batch noise_batch(const Model& model, int64_t batch, int64_t height, int64_t width, uint64_t seed);

}  // namespace cairn
