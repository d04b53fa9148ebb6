#include "models/instance_detection.h"

namespace cairn {

std::vector<Keypoints> detect_in_boxes(Model& model, const Tensor& image,
                                       std::span<const Box> boxes, const CropRule& rule,
                                       const DetectOptions& options, const InferencePlace& place) {
  std::vector<Keypoints> found;
  for (const Box& box : boxes) {
    const Matrix3 there = to_crop(frame_of(rule, image, box), rule.height, rule.width);
    const Matrix3 back = inverse(there);
    const Tensor crop = crop_image(image, there, rule.height, rule.width);
    found.push_back(model.detect(network_input(model, crop, place), options).at(0));
    for (auto& p : found.back().points) {
      const Point q = apply(back, {p[0], p[1]});
      p = {float(q.x), float(q.y)};
    }
  }
  return found;
}

}  // namespace cairn
