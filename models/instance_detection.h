#pragma once
// Named points of objects whose boxes are known, in photographs of any size.
#include <span>

#include "models/crop_rule.h"
#include "models/image_detection.h"

namespace cairn {

/// For every box the points of the object in it, in pixels of `image` u8 [H,W,model.channels()]:
/// cut out as `rule` says, found by the network, mapped back.
std::vector<Keypoints> detect_in_boxes(Detector& detector, const Tensor& image,
                                       std::span<const Box> boxes, const CropRule& rule);

}  // namespace cairn
