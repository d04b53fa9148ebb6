#pragma once
// First and second moments of maps on the cpu, and their gradient: what soft_argmax and
// spatial_moments have in common. Sums are in double about the centre of the map, where the
// cancellation in sxx/s - (sx/s)^2 is harmless.
#include "kernels/heatmap/map_parts.h"
#include "kernels/heatmap/row_loops.h"

namespace cairn::cpu {

/// Sums over pixels of a weight w: w, w x, w y, w x^2, w y^2; x and y in -1/2..1/2.
struct MomentSums {
  double s = 0, sx = 0, sy = 0, sxx = 0, syy = 0;

  void add(const MomentSums& other, double scale) {
    s += scale * other.s;
    sx += scale * other.sx;
    sy += scale * other.sy;
    sxx += scale * other.sxx;
    syy += scale * other.syy;
  }
};

/// Sums down the columns of a tile, which fold into the MomentSums of the channels.
class MomentColumns {
 public:
  explicit MomentColumns(const MapParts& map)
      : map_(map), s_(map.tile_elements()), sy_(s_.size()), syy_(s_.size()) {}

  void clear() {
    for (auto* sums : {&s_, &sy_, &syy_}) std::fill(sums->begin(), sums->end(), 0.0);
  }

  template <class T>
  void add_row(int64_t row, const T* weights, int64_t run) {
    const double y = (double(row) + 0.5) / double(map_.height) - 0.5;
    CAIRN_ISA_CALL(add_moments, weights, y, s_.data(), sy_.data(), syy_.data(), run);
  }

  void fold(int64_t x0, int64_t x1, MomentSums* channels) const {
    int64_t i = 0;
    for (int64_t column = x0; column < x1; ++column) {
      const double x = (double(column) + 0.5) / double(map_.width) - 0.5;
      for (int64_t k = 0; k < map_.channels; ++k, ++i)
        channels[k].add({s_[i], s_[i] * x, sy_[i], s_[i] * x * x, syy_[i]}, 1);
    }
  }

 private:
  const MapParts& map_;
  std::vector<double> s_, sy_, syy_;
};

/// The bracket of the gradient, slope_x (x_u-x) + dvx ((x_u-x)^2 - vx) + the same in y, of one
/// image: a part that depends on the column and one that depends on the row.
template <class T>
class MomentGradient {
 public:
  /// All of [K,2]: (x, y) of each channel.
  MomentGradient(const MapParts& map, const T* point, const T* variance, const T* slope,
                 const T* dvariance)
      : map_(map),
        point_(point),
        variance_(variance),
        slope_(slope),
        dvariance_(dvariance),
        of_row_(map.channels) {}

  void columns(int64_t x0, int64_t x1, T* along) const {
    for (int64_t x = x0; x < x1; ++x)
      for (int64_t k = 0; k < map_.channels; ++k)
        *along++ = part(k, 0, (T(x) + T(.5)) / T(map_.width));
  }
  void row(int64_t y, T* along) {
    for (int64_t k = 0; k < map_.channels; ++k)
      of_row_[k] = part(k, 1, (T(y) + T(.5)) / T(map_.height));
    map_.repeat(of_row_.data(), along);
  }

 private:
  T part(int64_t k, int axis, T u) const {
    const int64_t i = 2 * k + axis;
    const T d = u - point_[i];
    return slope_[i] * d + dvariance_[i] * (d * d - variance_[i]);
  }

  const MapParts& map_;
  const T *point_, *variance_, *slope_, *dvariance_;
  std::vector<T> of_row_;
};

}  // namespace cairn::cpu
