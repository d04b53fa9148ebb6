#include "kernels/heatmap/soft_argmax.h"

#include <cmath>

#include "kernels/heatmap/moments.h"
#include "kernels/heatmap/part_maxima.h"

namespace cairn::cpu {
namespace {

// Sums of exp(gain (z - max)) over a part of an image, `max` and `sums` per channel.
template <class T>
void part_sums(const MapParts& map, const T* z, const T* max, T gain, int64_t image, int64_t y0,
               int64_t y1, MomentSums* sums) {
  std::vector<T> top(map.tile_elements()), weights(map.tile_elements());
  map.repeat(max, top.data());
  MomentColumns columns(map);
  map.each_tile([&](int64_t x0, int64_t x1) {
    const int64_t run = (x1 - x0) * map.channels;
    columns.clear();
    for (int64_t y = y0; y < y1; ++y) {
      CAIRN_ISA_CALL(exp_row, z + map.offset(image, y, x0), top.data(), gain, weights.data(), run);
      columns.add_row(y, weights.data(), run);
    }
    columns.fold(x0, x1, sums);
  });
}

// What is known of a map: a maximum, and the sums of exp(gain (z - maximum)).
template <class T>
struct MapSums {
  T max;
  MomentSums sums;
};

// Joins one channel's parts, each with a maximum of its own; they lie `step` apart.
template <class T>
MapSums<T> joined(const T* max, const MomentSums* sums, int64_t parts, int64_t step, T gain) {
  MapSums<T> all{max[0], {}};
  for (int64_t p = 1; p < parts; ++p) all.max = std::max(all.max, max[p * step]);
  for (int64_t p = 0; p < parts; ++p)
    all.sums.add(sums[p * step],
                 std::exp(double(gain) * (double(max[p * step]) - double(all.max))));
  return all;
}

template <class T>
void forward(const T* z, T gain, const MapParts& map, T* point, T* variance, T* stats) {
  const int64_t K = map.channels;
  std::vector<T> max(size_t(map.count() * K));
  std::vector<MomentSums> sums(max.size());
  map.each([&](int64_t part, int64_t image, int64_t y0, int64_t y1) {
    part_maxima(map, z, image, y0, y1, max.data() + part * K);
    part_sums(map, z, max.data() + part * K, gain, image, y0, y1, sums.data() + part * K);
  });
  for (int64_t i = 0; i < map.images * K; ++i) {
    const int64_t first = i / K * map.per_image * K + i % K;
    const MapSums<T> all = joined(max.data() + first, sums.data() + first, map.per_image, K, gain);
    const MomentSums& m = all.sums;
    const double x = m.sx / m.s, y = m.sy / m.s;
    point[2 * i] = T(x + 0.5);
    point[2 * i + 1] = T(y + 0.5);
    variance[2 * i] = T(std::max(m.sxx / m.s - x * x, 0.0));
    variance[2 * i + 1] = T(std::max(m.syy / m.s - y * y, 0.0));
    stats[2 * i] = all.max;
    stats[2 * i + 1] = T(m.s);
  }
}

template <class T>
void backward(const T* z, const T* point, const T* variance, const T* stats, const T* dpoint,
              const T* dvariance, T gain, const MapParts& map, T* dz) {
  map.each([&](int64_t, int64_t image, int64_t y0, int64_t y1) {
    const int64_t K = map.channels, first = image * K * 2;
    std::vector<T> max(K), scale(K), top(map.tile_elements()), scales(map.tile_elements());
    for (int64_t k = 0; k < K; ++k) {
      max[k] = stats[first + 2 * k];
      scale[k] = gain / stats[first + 2 * k + 1];
    }
    map.repeat(max.data(), top.data());
    map.repeat(scale.data(), scales.data());
    MomentGradient<T> bracket(map, point + first, variance + first, dpoint + first,
                              dvariance + first);
    std::vector<T> of_column(map.tile_elements()), of_row(map.tile_elements());
    map.each_tile([&](int64_t x0, int64_t x1) {
      bracket.columns(x0, x1, of_column.data());
      for (int64_t y = y0; y < y1; ++y) {
        bracket.row(y, of_row.data());
        const int64_t at = map.offset(image, y, x0), run = (x1 - x0) * K;
        CAIRN_ISA_CALL(exp_row, z + at, top.data(), gain, dz + at, run);
        for (int64_t i = 0; i < run; ++i) dz[at + i] *= scales[i] * (of_column[i] + of_row[i]);
      }
    });
  });
}

}  // namespace

void soft_argmax(const Tensor& logits, double gain, Tensor& point, Tensor& variance,
                 Tensor& stats) {
  with_float(logits.dtype(), [&](auto type) {
    using T = decltype(type);
    forward<T>(logits.data<T>(), T(gain), MapParts(logits.shape()), point.data<T>(),
               variance.data<T>(), stats.data<T>());
  });
}

void soft_argmax_backward(const Tensor& logits, const Tensor& point, const Tensor& variance,
                          const Tensor& stats, const Tensor& dpoint, const Tensor& dvariance,
                          double gain, Tensor& dlogits) {
  with_float(logits.dtype(), [&](auto type) {
    using T = decltype(type);
    backward<T>(logits.data<T>(), point.data<T>(), variance.data<T>(), stats.data<T>(),
                dpoint.data<T>(), dvariance.data<T>(), T(gain), MapParts(logits.shape()),
                dlogits.data<T>());
  });
}

}  // namespace cairn::cpu
