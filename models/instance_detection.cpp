#include "models/instance_detection.h"

namespace cairn {

std::vector<Keypoints> detect_in_boxes(Detector& detector, const Tensor& image,
                                       std::span<const Box> boxes, const CropRule& rule) {
  std::vector<Keypoints> found;
  for (const Box& box : boxes) {
    const Matrix3 there = to_crop(frame_of(rule, image, box), rule.height, rule.width);
    const Matrix3 back = inverse(there);
    const Tensor crop = crop_image(image, there, rule.height, rule.width);
    const Tensor input = network_input(detector.model(), crop, detector.place().precision);
    found.push_back(detector.detect(input).at(0));
    for (auto& p : found.back().points) {
      const Point q = apply(back, {p[0], p[1]});
      p = {float(q.x), float(q.y)};
    }
  }
  return found;
}

}  // namespace cairn
