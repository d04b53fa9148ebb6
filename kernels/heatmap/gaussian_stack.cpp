#include "kernels/heatmap/gaussian_stack.h"

#include <numbers>

#include "kernels/heatmap/gaussian_factors.h"

namespace cairn::cpu {
namespace {

template <class T>
void forward(const T* centre, double sigma, T background, const MapParts& map, T* y) {
  const int64_t K = map.channels - 1;
  const std::vector<T> falloff(K, T(0.5 / (sigma * sigma)));
  const T peak = T(1 / (2 * std::numbers::pi * sigma * sigma));
  map.each([&](int64_t, int64_t image, int64_t y0, int64_t y1) {
    const GaussianFactors<T> factors{map.height, map.width, K, centre + image * K * 2,
                                     falloff.data()};
    std::vector<T> of_column(map.tile * K), of_row(K);
    map.each_tile([&](int64_t x0, int64_t x1) {
      factors.columns(x0, x1, of_column.data());
      for (int64_t v = y0; v < y1; ++v) {
        factors.row(v, of_row.data());
        for (int64_t x = x0; x < x1; ++x) {
          const T* column = of_column.data() + (x - x0) * K;
          T* out = y + map.offset(image, v, x);
          T sum = background;
          for (int64_t k = 0; k < K; ++k) sum += out[k] = peak * of_row[k] * column[k];
          const T scale = 1 / sum;
          for (int64_t k = 0; k < K; ++k) out[k] *= scale;
          out[K] = background * scale;
        }
      }
    });
  });
}

// Adds the pixels of one part to sum[K,2], without the factors 1/s^2 and the aspect.
template <class T>
void add_part(const MapParts& map, const GaussianFactors<T>& factors, int64_t image, int64_t y0,
              int64_t y1, const T* y, const T* dy, double* sum) {
  const int64_t K = factors.channels;
  for (int64_t v = y0; v < y1; ++v)
    for (int64_t x = 0; x < map.width; ++x) {
      const int64_t at = map.offset(image, v, x);
      T mean = 0;
      for (int64_t k = 0; k <= K; ++k) mean += y[at + k] * dy[at + k];
      for (int64_t k = 0; k < K; ++k) {
        const T c = y[at + k] * (dy[at + k] - mean);
        sum[2 * k] += double(c * factors.dx(x, k));
        sum[2 * k + 1] += double(c * factors.dy(v, k));
      }
    }
}

template <class T>
void backward(const T* centre, double sigma, const MapParts& map, const T* y, const T* dy,
              T* dcentre) {
  const int64_t K = map.channels - 1;
  std::vector<double> parts(size_t(map.count() * K * 2));
  map.each([&](int64_t part, int64_t image, int64_t y0, int64_t y1) {
    const GaussianFactors<T> factors{map.height, map.width, K, centre + image * K * 2, nullptr};
    add_part(map, factors, image, y0, y1, y, dy, parts.data() + part * K * 2);
  });
  const double aspect = double(map.width) / double(map.height);
  for (int64_t n = 0; n < map.images; ++n)
    for (int64_t i = 0; i < 2 * K; ++i) {
      double sum = 0;
      for (int64_t p = 0; p < map.per_image; ++p) sum += parts[(n * map.per_image + p) * K * 2 + i];
      dcentre[n * K * 2 + i] = T(sum / (sigma * sigma) * (i % 2 == 0 ? aspect : 1 / aspect));
    }
}

}  // namespace

void gaussian_stack(const Tensor& centre, double sigma, double background, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    forward<T>(centre.data<T>(), sigma, T(background), MapParts(y.shape()), y.data<T>());
  });
}

void gaussian_stack_backward(const Tensor& centre, double sigma, const Tensor& y, const Tensor& dy,
                             Tensor& dcentre) {
  with_float(dy.dtype(), [&](auto type) {
    using T = decltype(type);
    backward<T>(centre.data<T>(), sigma, MapParts(dy.shape()), y.data<T>(), dy.data<T>(),
                dcentre.data<T>());
  });
}

}  // namespace cairn::cpu
