#include "models/image_detection.h"

#include <algorithm>

#include "kernels/elementwise/cast.h"

namespace cairn {

Tensor network_input(const Model& model, const Tensor& image, const InferencePlace& place) {
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
  return as_type(x, place.precision).to(place.device);
}

Keypoints detect_keypoints(Model& model, const Tensor& image, const DetectOptions& options,
                           const InferencePlace& place) {
  Keypoints found = model.detect(network_input(model, image, place), options).at(0);
  const float right = float(image.dim(1) - options.border);
  const float below = float(image.dim(0) - options.border);
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
