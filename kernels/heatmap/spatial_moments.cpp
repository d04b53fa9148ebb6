#include "kernels/heatmap/spatial_moments.h"

#include "kernels/heatmap/moments.h"

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
  for (int64_t n = 0; n < map.images; ++n)
    for (int64_t k = 0; k < map.channels; ++k) {
      MomentSums m;
      for (int64_t p = 0; p < map.per_image; ++p)
        m.add(parts[(n * map.per_image + p) * map.channels + k], 1);
      const double z = m.s + spatial_moments_epsilon;
      const int64_t at = n * map.channels + k;
      zeta[at] = T(z);
      // About the centre c = 1/2: sum D (x_u - x) = sx + (c - x) s, and so on.
      const auto moments = [&](double first, double second, int64_t out) {
        const double x = (first + 0.5 * m.s) / z, from = 0.5 - x;
        point[out] = T(x);
        variance[out] = T(std::max((second + 2 * from * first + from * from * m.s) / z, 0.0));
      };
      moments(m.sx, m.sxx, 2 * at);
      moments(m.sy, m.syy, 2 * at + 1);
    }
}

template <class T>
void backward(const T* point, const T* variance, const T* zeta, const T* dpoint, const T* dvariance,
              const MapParts& map, T* dmap) {
  map.each([&](int64_t, int64_t image, int64_t y0, int64_t y1) {
    const int64_t K = map.channels, first = image * K * 2;
    std::vector<T> inverse(K), slope(2 * K), scales(map.tile_elements());
    for (int64_t k = 0; k < K; ++k) {
      inverse[k] = 1 / zeta[image * K + k];
      for (int64_t i = first + 2 * k; i < first + 2 * k + 2; ++i)
        slope[i - first] =
            dpoint[i] - 2 * dvariance[i] * point[i] * T(spatial_moments_epsilon) * inverse[k];
    }
    map.repeat(inverse.data(), scales.data());
    MomentGradient<T> bracket(map, point + first, variance + first, slope.data(),
                              dvariance + first);
    std::vector<T> of_column(map.tile_elements()), of_row(map.tile_elements());
    map.each_tile([&](int64_t x0, int64_t x1) {
      bracket.columns(x0, x1, of_column.data());
      for (int64_t y = y0; y < y1; ++y) {
        bracket.row(y, of_row.data());
        T* out = dmap + map.offset(image, y, x0);
        for (int64_t i = 0; i < (x1 - x0) * K; ++i) out[i] = scales[i] * (of_column[i] + of_row[i]);
      }
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
