#include "models/image_detection.h"

#include <algorithm>

#include "kernels/elementwise/cast.h"

namespace cairn {

Tensor network_input(const Model& model, const Tensor& image, DType type) {
  const int64_t multiple = model.size_multiple();
  const int64_t H = image.dim(0), W = image.dim(1), C = image.dim(2);
  const auto padded = [&](int64_t n) { return (n + multiple - 1) / multiple * multiple; };
  Tensor x = Tensor::empty({1, padded(H), padded(W), C});
  const uint8_t* from = image.data<uint8_t>();
  float* to = x.data<float>();
  for (int64_t r = 0; r < x.dim(1); ++r)
    for (int64_t c = 0; c < x.dim(2); ++c) {
      const uint8_t* p = from + (std::min(r, H - 1) * W + std::min(c, W - 1)) * C;
      for (int64_t k = 0; k < C; ++k) *to++ = float(p[k]) / 255;
    }
  return as_type(x, type);
}

Keypoints detect_keypoints(Detector& detector, const Tensor& image) {
  const Tensor input = network_input(detector.model(), image, detector.place().precision);
  Keypoints found = detector.detect(input).at(0);
  const int border = detector.options().border;
  const float right = float(image.dim(1) - border), below = float(image.dim(0) - border);
  const size_t size = size_t(found.descriptor_size);
  size_t kept = 0;
  for (size_t i = 0; i < found.points.size(); ++i) {
    if (!(found.points[i][0] < right && found.points[i][1] < below)) continue;
    found.points[kept] = found.points[i];
    found.scores[kept] = found.scores[i];
    std::copy_n(found.descriptors.begin() + i * size, size,
                found.descriptors.begin() + kept * size);
    ++kept;
  }
  found.points.resize(kept);
  found.scores.resize(kept);
  found.descriptors.resize(kept * size);
  return found;
}

}  // namespace cairn
