#pragma once
// Keypoints of an image as a file holds it: bytes, of any size.
#include "models/detector.h"

namespace cairn {

/// u8 [H,W,C] on cpu -> [1,H',W',C] in [0,1] of type `type`, on cpu: the sides padded on the right
/// and at the bottom with the pixels of the border to multiples of what the model asks for.
Tensor network_input(const Model& model, const Tensor& image, DType type = DType::f32);

/// The keypoints of u8 [H,W,channels of the model] that lie inside of it and its options' border
/// away from its edges, whatever the padding showed.
Keypoints detect_keypoints(Detector& detector, const Tensor& image);

}  // namespace cairn
