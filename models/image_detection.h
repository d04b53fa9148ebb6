#pragma once
// Keypoints of an image as a file holds it: bytes, of any size.
#include "models/model.h"

namespace cairn {

/// Where and in which type (f32 or bf16) a network computes.
struct InferencePlace {
  Device device = Device::cpu;
  DType precision = DType::f32;
};

/// u8 [H,W,C] on cpu -> [1,H',W',C] in [0,1]: the sides padded on the right and at the bottom with
/// the pixels of the border to multiples of what the model asks for.
Tensor network_input(const Model& model, const Tensor& image, const InferencePlace& place);

/// The keypoints of u8 [H,W,model.channels()] that lie inside of it and `options.border` away from
/// its edges, whatever the padding showed.
Keypoints detect_keypoints(Model& model, const Tensor& image, const DetectOptions& options,
                           const InferencePlace& place);

}  // namespace cairn
