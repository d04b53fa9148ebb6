#include "models/codecs/maps.h"

namespace cairn {

Tensor in_cells(const Tensor& points) {
  Tensor cells = points.empty_like();
  for (int64_t i = 0; i < points.count(); ++i)
    cells.data<float>()[i] = float(to_cell(points.data<float>()[i]));
  return cells;
}

std::vector<float> planes_of(const Tensor& maps, int64_t image) {
  const int64_t cells = maps.dim(1) * maps.dim(2), C = maps.dim(3);
  const float* from = maps.data<float>() + image * cells * C;
  std::vector<float> planes(size_t(cells * C));
  for (int64_t i = 0; i < cells; ++i)
    for (int64_t c = 0; c < C; ++c) planes[size_t(c * cells + i)] = from[i * C + c];
  return planes;
}

Tensor mirrored_maps(const Tensor& maps, const std::vector<int>& from,
                     const std::vector<float>& sign) {
  const Tensor source = maps.to(Device::cpu);
  const int64_t rows = maps.dim(0) * maps.dim(1), W = maps.dim(2), C = maps.dim(3);
  Tensor y = source.empty_like();
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t x = 0; x < W; ++x) {
      const float* cell = source.data<float>() + (r * W + W - 1 - x) * C;
      float* to = y.data<float>() + (r * W + x) * C;
      for (int64_t c = 0; c < C; ++c)
        to[c] = cell[from[size_t(c)]] * (sign.empty() ? 1 : sign[size_t(c)]);
    }
  return y;
}

}  // namespace cairn
