#include "kernels/heatmap/spatial_moments.h"

#include "kernels/heatmap/zeta_moments_cpu.h"

namespace cairn::cpu {
namespace {

template <class T>
void forward(const T* map_values, const MapParts& map, T* point, T* variance, T* zeta) {
  std::vector<MomentSums> parts(size_t(map.count() * map.channels));
  map.each([&](int64_t part, int64_t image, int64_t y0, int64_t y1) {
    MomentColumns columns(map);
    map.each_tile([&](int64_t x0, int64_t x1) {
      columns.clear();
      for (int64_t y = y0; y < y1; ++y)
        columns.add_row(y, map_values + map.offset(image, y, x0), (x1 - x0) * map.channels);
      columns.fold(x0, x1, parts.data() + part * map.channels);
    });
  });
  zeta_moments(map, map.channels, parts.data(), point, variance, zeta);
}

template <class T>
void backward(const T* point, const T* variance, const T* zeta, const T* dpoint, const T* dvariance,
              const MapParts& map, T* dmap) {
  map.each([&](int64_t, int64_t image, int64_t y0, int64_t y1) {
    ZetaGradient<T> gradient(map, map.channels, image, point, variance, zeta, dpoint, dvariance);
    map.each_tile([&](int64_t x0, int64_t x1) {
      gradient.columns(x0, x1);
      for (int64_t y = y0; y < y1; ++y)
        gradient.row(y, dmap + map.offset(image, y, x0), (x1 - x0) * map.channels);
    });
  });
}

}  // namespace

void spatial_moments(const Tensor& map, Tensor& point, Tensor& variance, Tensor& zeta) {
  with_float(map.dtype(), [&](auto type) {
    using T = decltype(type);
    forward<T>(map.data<T>(), MapParts(map.shape()), point.data<T>(), variance.data<T>(),
               zeta.data<T>());
  });
}

void spatial_moments_backward(const Tensor& point, const Tensor& variance, const Tensor& zeta,
                              const Tensor& dpoint, const Tensor& dvariance, Tensor& dmap) {
  with_float(dmap.dtype(), [&](auto type) {
    using T = decltype(type);
    backward<T>(point.data<T>(), variance.data<T>(), zeta.data<T>(), dpoint.data<T>(),
                dvariance.data<T>(), MapParts(dmap.shape()), dmap.data<T>());
  });
}

}  // namespace cairn::cpu
