#include "kernels/heatmap/spatial_softmax.h"

#include "kernels/heatmap/part_maxima.h"

namespace cairn::cpu {
namespace {

// Joins the results [part][channel] of each image into [image][channel], in the order of the parts.
template <class T, class Join>
std::vector<T> joined(const MapParts& map, const std::vector<T>& of_parts, Join&& join) {
  std::vector<T> all(size_t(map.images * map.channels));
  for (int64_t n = 0; n < map.images; ++n)
    for (int64_t p = 0; p < map.per_image; ++p)
      for (int64_t k = 0; k < map.channels; ++k) {
        const T part = of_parts[(n * map.per_image + p) * map.channels + k];
        T& sum = all[n * map.channels + k];
        sum = p == 0 ? part : join(sum, part);
      }
  return all;
}

template <class T>
std::vector<T> maxima(const MapParts& map, const T* z) {
  std::vector<T> of_parts(size_t(map.count() * map.channels));
  map.each([&](int64_t part, int64_t image, int64_t y0, int64_t y1) {
    part_maxima(map, z, image, y0, y1, of_parts.data() + part * map.channels);
  });
  return joined(map, of_parts, [](T a, T b) { return std::max(a, b); });
}

// Sums over the pixels of each channel: visit(constants(image), offset, run, column) adds a run of
// elements to the sums of their columns.
template <class Constants, class Visit>
std::vector<double> sums(const MapParts& map, Constants&& constants, Visit&& visit) {
  std::vector<double> of_parts(size_t(map.count() * map.channels));
  map.each([&](int64_t part, int64_t image, int64_t y0, int64_t y1) {
    double* sum = of_parts.data() + part * map.channels;
    std::vector<double> column(size_t(map.tile_elements()));
    const auto of_image = constants(image);
    map.each_tile([&](int64_t x0, int64_t x1) {
      const int64_t run = (x1 - x0) * map.channels;
      std::fill_n(column.data(), run, 0.0);
      for (int64_t y = y0; y < y1; ++y)
        visit(of_image, map.offset(image, y, x0), run, column.data());
      for (int64_t i = 0; i < run;)
        for (int64_t k = 0; k < map.channels; ++k, ++i) sum[k] += column[i];
    });
  });
  return joined(map, of_parts, [](double a, double b) { return a + b; });
}

// The values [image][channel] of one image, repeated along a tile.
template <class T, class From>
std::vector<T> along_tile(const MapParts& map, const std::vector<From>& values, int64_t image) {
  const std::vector<T> own(values.begin() + image * map.channels,
                           values.begin() + (image + 1) * map.channels);
  std::vector<T> along(size_t(map.tile_elements()));
  map.repeat(own.data(), along.data());
  return along;
}

template <class T>
void forward(const T* z, T gain, const MapParts& map, T* h) {
  const std::vector<T> largest = maxima(map, z);
  std::vector<double> sum = sums(
      map, [&](int64_t image) { return along_tile<T>(map, largest, image); },
      [=](const std::vector<T>& top, int64_t at, int64_t run, double* column) {
        CAIRN_ISA_CALL(exp_row, z + at, top.data(), gain, h + at, run);
        CAIRN_ISA_CALL(add_row, h + at, column, run);
      });
  for (double& s : sum) s = 1 / s;
  map.each([&](int64_t, int64_t image, int64_t y0, int64_t y1) {
    const std::vector<T> scale = along_tile<T>(map, sum, image);
    map.each_tile([&](int64_t x0, int64_t x1) {
      for (int64_t y = y0; y < y1; ++y) {
        T* row = h + map.offset(image, y, x0);
        for (int64_t i = 0; i < (x1 - x0) * map.channels; ++i) row[i] *= scale[i];
      }
    });
  });
}

template <class T>
void backward(const T* h, const T* dh, T gain, const MapParts& map, T* dz) {
  const std::vector<double> inner = sums(
      map, [](int64_t) { return 0; },
      [=](int, int64_t at, int64_t run, double* column) {
        CAIRN_ISA_CALL(add_products, h + at, dh + at, column, run);
      });
  map.each([&](int64_t, int64_t image, int64_t y0, int64_t y1) {
    const std::vector<T> mean = along_tile<T>(map, inner, image);
    map.each_tile([&](int64_t x0, int64_t x1) {
      for (int64_t y = y0; y < y1; ++y) {
        const int64_t at = map.offset(image, y, x0);
        for (int64_t i = 0; i < (x1 - x0) * map.channels; ++i)
          dz[at + i] = gain * h[at + i] * (dh[at + i] - mean[i]);
      }
    });
  });
}

}  // namespace

void spatial_softmax(const Tensor& z, double gain, Tensor& h) {
  with_float(h.dtype(), [&](auto type) {
    using T = decltype(type);
    forward<T>(z.data<T>(), T(gain), MapParts(z.shape()), h.data<T>());
  });
}

void spatial_softmax_backward(const Tensor& h, const Tensor& dh, double gain, Tensor& dz) {
  with_float(dz.dtype(), [&](auto type) {
    using T = decltype(type);
    backward<T>(h.data<T>(), dh.data<T>(), T(gain), MapParts(h.shape()), dz.data<T>());
  });
}

}  // namespace cairn::cpu
