#pragma once
// Mean and variance of a non-negative map, normalised by zeta (spatial_moments.h), on cpu: what
// spatial_moments.cpp and landmark_maps.cpp have in common. The op's maps are the first K channels
// of what is walked; the others have neither results nor gradient.
#include "kernels/heatmap/moments.h"
#include "kernels/heatmap/spatial_moments.h"

namespace cairn::cpu {

/// point and variance [N,K,2] and zeta [N,K] from the sums [parts, channels].
template <class T>
void zeta_moments(const MapParts& map, int64_t K, const MomentSums* parts, T* point, T* variance,
                  T* zeta) {
  for (int64_t n = 0; n < map.images; ++n)
    for (int64_t k = 0; k < K; ++k) {
      MomentSums m;
      for (int64_t p = 0; p < map.per_image; ++p)
        m.add(parts[(n * map.per_image + p) * map.channels + k], 1);
      const double z = m.s + spatial_moments_epsilon;
      const int64_t at = n * K + k;
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

/// The gradient of the moments of one image, row by row of a tile.
template <class T>
class ZetaGradient {
 public:
  ZetaGradient(const MapParts& map, int64_t K, int64_t image, const T* point, const T* variance,
               const T* zeta, const T* dpoint, const T* dvariance)
      : point_(of_channels(map, K, image, point)),
        variance_(of_channels(map, K, image, variance)),
        slope_(of_channels(map, K, image, dpoint)),
        dvariance_(of_channels(map, K, image, dvariance)),
        bracket_(map, point_.data(), variance_.data(), slope_.data(), dvariance_.data()),
        scales_(map.tile_elements()),
        of_column_(scales_.size()),
        of_row_(scales_.size()) {
    std::vector<T> inverse(map.channels);
    for (int64_t k = 0; k < K; ++k) {
      inverse[k] = 1 / zeta[image * K + k];
      for (int64_t i = 2 * k; i < 2 * k + 2; ++i)
        slope_[i] -= 2 * dvariance_[i] * point_[i] * T(spatial_moments_epsilon) * inverse[k];
    }
    map.repeat(inverse.data(), scales_.data());
  }
  ZetaGradient(const ZetaGradient&) = delete;

  void columns(int64_t x0, int64_t x1) { bracket_.columns(x0, x1, of_column_.data()); }
  void row(int64_t y, T* out, int64_t run) {
    bracket_.row(y, of_row_.data());
    for (int64_t i = 0; i < run; ++i) out[i] = scales_[i] * (of_column_[i] + of_row_[i]);
  }

 private:
  /// One image of [N,K,2], then zeros for the channels without moments.
  static std::vector<T> of_channels(const MapParts& map, int64_t K, int64_t image, const T* all) {
    std::vector<T> own(all + image * K * 2, all + (image + 1) * K * 2);
    own.resize(map.channels * 2);
    return own;
  }

  std::vector<T> point_, variance_, slope_, dvariance_;
  MomentGradient<T> bracket_;
  std::vector<T> scales_, of_column_, of_row_;
};

}  // namespace cairn::cpu
