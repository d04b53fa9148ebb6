#include "models/landmark_keypoints.h"

namespace cairn {

std::vector<Keypoints> landmark_keypoints(const Tensor& points, const Tensor& maps, int64_t height,
                                          int64_t width) {
  const Tensor at = points.to(Device::cpu).to(DType::f64),
               map = maps.to(Device::cpu).to(DType::f64);
  const int64_t K = at.dim(1), C = map.dim(3), cells = map.dim(1) * map.dim(2);
  std::vector<Keypoints> found(size_t(at.dim(0)));
  for (int64_t i = 0; i < at.dim(0) * K; ++i) {
    const double *p = at.data<double>() + 2 * i,
                 *m = map.data<double>() + i / K * cells * C + i % K;
    double sum = 1e-6, squares = 0;
    for (int64_t u = 0; u < cells; ++u) {
      sum += m[u * C];
      squares += m[u * C] * m[u * C];
    }
    Keypoints& k = found[size_t(i / K)];
    k.points.push_back({float(p[0] * double(width) - 0.5), float(p[1] * double(height) - 0.5)});
    k.scores.push_back(float(squares / sum));
  }
  return found;
}

PointWarp warp_of(const Batch& batch) {
  return {batch.at("warp_control"), batch.at("warp_theta"), batch.at("warp_affine")};
}

std::map<std::string, Model::InputSpec> warp_inputs(int64_t batch) {
  return {{"warp_control", {{batch, 1, 2}, DType::f32, 1}},
          {"warp_theta", {{batch, 4, 2}, DType::f32, 0, {0, 0, 0, 0, 1, 0, 0, 1}}},
          {"warp_affine", {{batch, 2, 3}, DType::f32, 0, {0.94, -0.34, 0.05, 0.34, 0.94, -0.05}}}};
}

}  // namespace cairn
