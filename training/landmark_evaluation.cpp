#include "training/landmark_evaluation.h"

#include <algorithm>
#include <cmath>

#include "layers/prepared_weights.h"
#include "models/image_detection.h"
#include "runtime/error.h"

namespace cairn {

LandmarkSplit discovered_landmarks(Model& model, Device device, const KeypointExamples& examples,
                                   int64_t images, int points) {
  constexpr int64_t at_once = 50;
  const int64_t height = model.crop_rule()->height, width = model.crop_rule()->width;
  const int annotated = examples.skeleton().keypoints();
  const int P = points > 0 ? std::min(points, annotated) : annotated;
  const int K = model.skeleton()->keypoints();
  if (P == 0)
    throw Error("landmarks", "the images have no annotated points", "an annotated data set",
                "name one to measure on");
  LandmarkSplit split{Tensor::empty({images, K, 2}, DType::f64),
                      Tensor::empty({images, P, 2}, DType::f64)};
  const auto put = [&](Tensor& to, int64_t row, double x, double y) {
    to.data<double>()[2 * row] = (x + 0.5) / double(width);
    to.data<double>()[2 * row + 1] = (y + 0.5) / double(height);
  };
  InferenceWeights weights;
  const InferenceWeights::Use use(weights);
  for (int64_t done = 0; done < images; done += at_once) {
    const int n = int(std::min(at_once, images - done));
    const KeypointCrops crops = plain_crops(examples, height, width, done, n);
    const std::vector<Keypoints> found = model.detect(crops.image.to(device), {});
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t k = 0; k < K; ++k) {
        const auto& p = found[size_t(i)].points[size_t(k)];
        put(split.discovered, (done + i) * K + k, double(p[0]), double(p[1]));
      }
      for (int64_t k = 0; k < P; ++k) {
        const int64_t at = i * annotated + k;
        const float* p = crops.points.data<float>() + 2 * at;
        const bool there = crops.visibility.data<uint8_t>()[at] != 0;
        put(split.annotated, (done + i) * P + k, there ? double(p[0]) : NAN,
            there ? double(p[1]) : NAN);
      }
    }
  }
  return split;
}

double least_distance(const Tensor& landmarks) {
  const int64_t N = landmarks.dim(0), K = landmarks.dim(1);
  const double* p = landmarks.data<double>();
  double sum = 0;
  for (int64_t n = 0; n < N; ++n) {
    double least = K > 1 ? INFINITY : NAN;
    for (int64_t a = 0; a < K; ++a)
      for (int64_t b = 0; b < a; ++b) {
        const double *pa = p + (n * K + a) * 2, *pb = p + (n * K + b) * 2;
        least = std::min(least, std::hypot(pa[0] - pb[0], pa[1] - pb[1]));
      }
    sum += least;
  }
  return sum / double(N);
}

std::vector<int> dead_landmarks(LandmarkAutoencoder& model, const Tensor& images, Device device) {
  const Tensor maps = model.maps(images.to(device)).to(Device::cpu);
  const int64_t channels = maps.dim(3), pixels = maps.count() / channels;
  std::vector<double> claimed(static_cast<size_t>(channels));
  for (int64_t u = 0; u < pixels; ++u)
    for (int64_t k = 0; k < channels; ++k)
      claimed[size_t(k)] += double(maps.data<float>()[u * channels + k]);
  std::vector<int> dead;
  for (int64_t k = 0; k + 1 < channels; ++k)
    if (claimed[size_t(k)] < 1e-3 * double(pixels) / double(channels)) dead.push_back(int(k));
  return dead;
}

double exchange_error(LandmarkAutoencoder& model, const Tensor& images, Device device) {
  const int64_t N = images.dim(0), H = images.dim(1), W = images.dim(2);
  LandmarkAutoencoder::Code code = model.encode(images.to(device));
  Tensor others = code.descriptors.empty_like();
  for (int64_t n = 0; n < N; ++n)
    others.rows(n, n + 1).copy_from(code.descriptors.rows((n + 1) % N, (n + 1) % N + 1));
  code.descriptors = others;
  const std::vector<Keypoints> found = model.detect(model.decode(code, H, W), {});
  const std::vector<float> asked = code.points.to(Device::cpu).values<float>();
  const int64_t K = code.points.dim(1);
  double sum = 0;
  for (int64_t i = 0; i < N * K; ++i) {
    const auto& p = found[size_t(i / K)].points[size_t(i % K)];
    sum += std::hypot((double(p[0]) + 0.5) / double(W) - double(asked[2 * i]),
                      (double(p[1]) + 0.5) / double(H) - double(asked[2 * i + 1]));
  }
  return sum / double(N * K);
}

}  // namespace cairn
