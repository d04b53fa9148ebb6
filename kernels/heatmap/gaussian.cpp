#include "kernels/heatmap/gaussian.h"

#include <numbers>

#include "kernels/heatmap/gaussian_factors.h"
#include "kernels/heatmap/row_loops.h"

namespace cairn::cpu {
namespace {

double normaliser(GaussianForm form, double sigma) {
  return form == GaussianForm::density ? 1 / (2 * std::numbers::pi * sigma * sigma) : 1;
}

template <class T>
std::vector<T> falloffs(const T* sigma, int64_t channels, GaussianForm form) {
  std::vector<T> of(channels);
  for (int64_t k = 0; k < channels; ++k) of[k] = T(gaussian_falloff(form, double(sigma[k])));
  return of;
}

template <class T>
void forward(const T* centre, const T* sigma, const T* amplitude, GaussianForm form,
             const MapParts& map, T* y) {
  map.each([&](int64_t, int64_t image, int64_t y0, int64_t y1) {
    const int64_t K = map.channels, first = image * K;
    const std::vector<T> falloff = falloffs(sigma + first, K, form);
    const GaussianFactors<T> factors{map.height, map.width, K, centre + 2 * first, falloff.data()};
    std::vector<T> of_column(map.tile_elements()), of_row(map.tile_elements()), row(K), peak(K);
    for (int64_t k = 0; k < K; ++k)
      peak[k] = amplitude[first + k] * T(normaliser(form, double(sigma[first + k])));
    map.each_tile([&](int64_t x0, int64_t x1) {
      factors.columns(x0, x1, of_column.data());
      for (int64_t v = y0; v < y1; ++v) {
        factors.row(v, row.data());
        for (int64_t k = 0; k < K; ++k) row[k] *= peak[k];
        map.repeat(row.data(), of_row.data());
        T* out = y + map.offset(image, v, x0);
        for (int64_t i = 0; i < (x1 - x0) * K; ++i) out[i] = of_row[i] * of_column[i];
      }
    });
  });
}

// Sums over pixels of dy G, and of that times x_u-x, y_u-y and d2, for a Gaussian G of peak 1.
struct GaussianSums {
  double one = 0, x = 0, y = 0, d2 = 0;
};

// The row factor times 1, y_u-y and (y_u-y)^2, along a tile; and their products with dy, summed
// down the columns.
template <class T>
class WeightedColumns {
 public:
  explicit WeightedColumns(const MapParts& map) : map_(map), row_(map.channels) {
    for (auto& w : weight_) w.resize(map.tile_elements());
    for (auto& c : column_) c.resize(map.tile_elements());
  }
  void clear() {
    for (auto& c : column_) std::fill(c.begin(), c.end(), 0.0);
  }
  void add_row(const GaussianFactors<T>& factors, int64_t y, const T* dy, int64_t run) {
    factors.row(y, row_.data());
    for (auto& w : weight_) {
      map_.repeat(row_.data(), w.data());
      for (int64_t k = 0; k < map_.channels; ++k) row_[k] *= factors.dy(y, k);
    }
    for (int j = 0; j < 3; ++j)
      CAIRN_ISA_CALL(add_products, dy, weight_[j].data(), column_[j].data(), run);
  }
  void fold(const GaussianFactors<T>& factors, int64_t x0, int64_t x1, const T* of_column,
            GaussianSums* channels) const {
    int64_t i = 0;
    for (int64_t x = x0; x < x1; ++x)
      for (int64_t k = 0; k < map_.channels; ++k, ++i) {
        const double g = of_column[i], d = factors.dx(x, k);
        channels[k].one += g * column_[0][i];
        channels[k].x += g * d * column_[0][i];
        channels[k].y += g * column_[1][i];
        channels[k].d2 += g * (double(factors.aspect_x()) * d * d * column_[0][i] +
                               double(factors.aspect_y()) * column_[2][i]);
      }
  }

 private:
  const MapParts& map_;
  std::vector<T> row_, weight_[3];
  std::vector<double> column_[3];
};

template <class T>
std::vector<GaussianSums> part_sums(const T* centre, const T* sigma, GaussianForm form, const T* dy,
                                    const MapParts& map) {
  std::vector<GaussianSums> parts(size_t(map.count() * map.channels));
  map.each([&](int64_t part, int64_t image, int64_t y0, int64_t y1) {
    const int64_t K = map.channels, first = image * K;
    const std::vector<T> falloff = falloffs(sigma + first, K, form);
    const GaussianFactors<T> factors{map.height, map.width, K, centre + 2 * first, falloff.data()};
    std::vector<T> of_column(map.tile_elements());
    WeightedColumns<T> columns(map);
    map.each_tile([&](int64_t x0, int64_t x1) {
      factors.columns(x0, x1, of_column.data());
      columns.clear();
      for (int64_t y = y0; y < y1; ++y)
        columns.add_row(factors, y, dy + map.offset(image, y, x0), (x1 - x0) * K);
      columns.fold(factors, x0, x1, of_column.data(), parts.data() + part * K);
    });
  });
  return parts;
}

template <class T>
void backward(const T* centre, const T* sigma, const T* amplitude, GaussianForm form, const T* dy,
              const MapParts& map, T* dcentre, T* dsigma, T* damplitude) {
  const std::vector<GaussianSums> parts = part_sums(centre, sigma, form, dy, map);
  const double aspect = double(map.width) / double(map.height);
  for (int64_t n = 0; n < map.images; ++n)
    for (int64_t k = 0; k < map.channels; ++k) {
      GaussianSums sum;
      for (int64_t p = 0; p < map.per_image; ++p) {
        const GaussianSums& part = parts[(n * map.per_image + p) * map.channels + k];
        sum.one += part.one;
        sum.x += part.x;
        sum.y += part.y;
        sum.d2 += part.d2;
      }
      const int64_t at = n * map.channels + k;
      const double s = sigma[at], c = 2 * gaussian_falloff(form, s);
      const double peak = normaliser(form, s), q = double(amplitude[at]) * peak;
      dcentre[2 * at] = T(q * c * aspect * sum.x);
      dcentre[2 * at + 1] = T(q * c / aspect * sum.y);
      dsigma[at] = T(q * (c * sum.d2 - (form == GaussianForm::density ? 2 * sum.one : 0)) / s);
      damplitude[at] = T(peak * sum.one);
    }
}

}  // namespace

void gaussian(const Tensor& centre, const Tensor& sigma, const Tensor& amplitude, GaussianForm form,
              Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    forward<T>(centre.data<T>(), sigma.data<T>(), amplitude.data<T>(), form, MapParts(y.shape()),
               y.data<T>());
  });
}

void gaussian_backward(const Tensor& centre, const Tensor& sigma, const Tensor& amplitude,
                       GaussianForm form, const Tensor& dy, Tensor& dcentre, Tensor& dsigma,
                       Tensor& damplitude) {
  with_float(dy.dtype(), [&](auto type) {
    using T = decltype(type);
    backward<T>(centre.data<T>(), sigma.data<T>(), amplitude.data<T>(), form, dy.data<T>(),
                MapParts(dy.shape()), dcentre.data<T>(), dsigma.data<T>(), damplitude.data<T>());
  });
}

}  // namespace cairn::cpu
