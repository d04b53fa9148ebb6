#include "kernels/heatmap/soft_argmax.h"

#include <limits>

#include "kernels/heatmap/moments.h"
#include "kernels/vector_math.h"

namespace cairn::cpu {
namespace {

// What a part of a map knows of a channel: its own maximum, and sums of exp(gain (z - maximum)).
template <class T>
struct PartSums {
  T max = std::numeric_limits<T>::lowest();
  MomentSums sums;
};

template <class T>
void part_maxima(const MapParts& map, const T* z, int64_t image, int64_t y0, int64_t y1,
                 PartSums<T>* channels) {
  std::vector<T> column(size_t(map.tile_elements()));
  map.each_tile([&](int64_t x0, int64_t x1) {
    const int64_t run = (x1 - x0) * map.channels;
    std::fill_n(column.data(), run, std::numeric_limits<T>::lowest());
    for (int64_t y = y0; y < y1; ++y) {
      const T* row = z + map.offset(image, y, x0);
      for (int64_t i = 0; i < run; ++i) column[i] = column[i] < row[i] ? row[i] : column[i];
    }
    for (int64_t i = 0; i < run;)
      for (int64_t k = 0; k < map.channels; ++k, ++i)
        channels[k].max = std::max(channels[k].max, column[i]);
  });
}

template <class T>
void part_sums(const MapParts& map, const T* z, T gain, int64_t image, int64_t y0, int64_t y1,
               PartSums<T>* channels) {
  std::vector<T> own_max(map.channels), top(map.tile_elements()), weights(map.tile_elements());
  for (int64_t k = 0; k < map.channels; ++k) own_max[k] = channels[k].max;
  map.repeat(own_max.data(), top.data());
  std::vector<MomentSums> sums(map.channels);
  MomentColumns columns(map);
  map.each_tile([&](int64_t x0, int64_t x1) {
    const int64_t run = (x1 - x0) * map.channels;
    columns.clear();
    for (int64_t y = y0; y < y1; ++y) {
      const T* row = z + map.offset(image, y, x0);
      for (int64_t i = 0; i < run; ++i) weights[i] = exp_vec(gain * (row[i] - top[i]));
      columns.add_row(y, weights.data(), run);
    }
    columns.fold(x0, x1, sums.data());
  });
  for (int64_t k = 0; k < map.channels; ++k) channels[k].sums = sums[k];
}

template <class T>
void forward(const T* z, T gain, const MapParts& map, T* point, T* variance, T* stats) {
  std::vector<PartSums<T>> parts(size_t(map.count() * map.channels));
  map.each([&](int64_t part, int64_t image, int64_t y0, int64_t y1) {
    PartSums<T>* channels = parts.data() + part * map.channels;
    part_maxima(map, z, image, y0, y1, channels);
    part_sums(map, z, gain, image, y0, y1, channels);
  });
  for (int64_t n = 0; n < map.images; ++n)
    for (int64_t k = 0; k < map.channels; ++k) {
      const PartSums<T>* of_image = parts.data() + n * map.per_image * map.channels + k;
      T max = of_image[0].max;
      for (int64_t p = 1; p < map.per_image; ++p)
        max = std::max(max, of_image[p * map.channels].max);
      MomentSums m;
      for (int64_t p = 0; p < map.per_image; ++p) {
        const PartSums<T>& part = of_image[p * map.channels];
        m.add(part.sums, std::exp(double(gain) * (double(part.max) - double(max))));
      }
      const int64_t at = (n * map.channels + k) * 2;
      const double x = m.sx / m.s, y = m.sy / m.s;
      point[at] = T(x + 0.5);
      point[at + 1] = T(y + 0.5);
      variance[at] = T(std::max(m.sxx / m.s - x * x, 0.0));
      variance[at + 1] = T(std::max(m.syy / m.s - y * y, 0.0));
      stats[at] = max;
      stats[at + 1] = T(m.s);
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
        const int64_t at = map.offset(image, y, x0);
        for (int64_t i = 0; i < (x1 - x0) * K; ++i)
          dz[at + i] =
              scales[i] * exp_vec(gain * (z[at + i] - top[i])) * (of_column[i] + of_row[i]);
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
