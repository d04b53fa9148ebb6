#include "kernels/heatmap/landmark_maps.h"

#include "kernels/heatmap/zeta_moments_cpu.h"

namespace cairn::cpu {
namespace {

template <class T>
void forward(const T* z, const MapParts& map, T* maps, T* point, T* variance, T* zeta) {
  std::vector<MomentSums> parts(size_t(map.count() * map.channels));
  map.each([&](int64_t part, int64_t image, int64_t y0, int64_t y1) {
    MomentColumns columns(map);
    std::vector<T> top(map.tile_elements());
    map.each_tile([&](int64_t x0, int64_t x1) {
      columns.clear();
      for (int64_t y = y0; y < y1; ++y) {
        const int64_t at = map.offset(image, y, x0);
        CAIRN_ISA_CALL(softmax_pixels, z + at, x1 - x0, map.channels, top.data(), maps + at);
        columns.add_row(y, maps + at, (x1 - x0) * map.channels);
      }
      columns.fold(x0, x1, parts.data() + part * map.channels);
    });
  });
  zeta_moments(map, map.channels - 1, parts.data(), point, variance, zeta);
}

template <class T>
void backward(const T* maps, const T* point, const T* variance, const T* zeta, const T* dmaps,
              const T* dpoint, const T* dvariance, const MapParts& map, T* dz) {
  map.each([&](int64_t, int64_t image, int64_t y0, int64_t y1) {
    ZetaGradient<T> gradient(map, map.channels - 1, image, point, variance, zeta, dpoint,
                             dvariance);
    std::vector<T> of_map(map.tile_elements());
    map.each_tile([&](int64_t x0, int64_t x1) {
      gradient.columns(x0, x1);
      for (int64_t y = y0; y < y1; ++y) {
        const int64_t at = map.offset(image, y, x0), run = (x1 - x0) * map.channels;
        gradient.row(y, of_map.data(), run);
        for (int64_t i = 0; dmaps && i < run; ++i) of_map[i] += dmaps[at + i];
        CAIRN_ISA_CALL(softmax_slope, maps + at, of_map.data(), x1 - x0, map.channels, dz + at);
      }
    });
  });
}

}  // namespace

void landmark_maps(const Tensor& logits, Tensor& maps, Tensor& point, Tensor& variance,
                   Tensor& zeta) {
  with_float(logits.dtype(), [&](auto type) {
    using T = decltype(type);
    forward<T>(logits.data<T>(), MapParts(logits.shape()), maps.data<T>(), point.data<T>(),
               variance.data<T>(), zeta.data<T>());
  });
}

void landmark_maps_backward(const Tensor& maps, const Tensor& point, const Tensor& variance,
                            const Tensor& zeta, const Tensor& dmaps, const Tensor& dpoint,
                            const Tensor& dvariance, Tensor& dlogits) {
  with_float(dlogits.dtype(), [&](auto type) {
    using T = decltype(type);
    backward<T>(maps.data<T>(), point.data<T>(), variance.data<T>(), zeta.data<T>(),
                dmaps.defined() ? dmaps.data<T>() : nullptr, dpoint.data<T>(), dvariance.data<T>(),
                MapParts(dlogits.shape()), dlogits.data<T>());
  });
}

}  // namespace cairn::cpu
