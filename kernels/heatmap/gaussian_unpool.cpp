#include "kernels/heatmap/gaussian_unpool.h"

#include <numbers>

#include "kernels/gemm/product.h"
#include "kernels/heatmap/gaussian_factors.h"

// y and dy are read as rows: pixel by pixel, M rows of K+1 maps and S channels, a row for each
// width. The maps of many rows are then a matrix D, the channels a matrix F = D values.
namespace cairn::cpu {
namespace {

template <class T>
struct Unpool {
  const T *centre, *values;
  std::vector<GaussianWidth> widths;
  MapParts map;  ///< of the K+1 maps of one width
  int64_t K, S, M;

  Unpool(const Tensor& c, const Tensor& v, const std::vector<GaussianWidth>& w, const Tensor& y)
      : centre(c.data<T>()),
        values(v.data<T>()),
        widths(w),
        map({y.dim(0), y.dim(1), y.dim(2), c.dim(1) + 1}),
        K(c.dim(1)),
        S(v.dim(2)),
        M(int64_t(w.size())) {
    map.tile = std::clamp<int64_t>(chunk_rows / M, 1, std::max<int64_t>(map.width, 1));
  }

  int64_t row_length() const { return K + 1 + S; }
  int64_t tile_rows() const { return map.tile * M; }
  int64_t offset(int64_t image, int64_t y, int64_t x) const {
    return ((image * map.height + y) * map.width + x) * M * row_length();
  }

  /// `rows` rows of A times B in panels: into `columns` columns of C.
  Block<T> product(const T* a, int64_t a_row, int64_t rows, T* c, int64_t c_row,
                   int64_t columns) const {
    Block<T> block;
    block.M = rows;
    block.N = columns;
    block.a = a;
    block.a_row = a_row;
    block.c = c;
    block.c_row = c_row;
    return block;
  }
  /// The image's values as B: [K+1,S], or their transpose [S,K+1].
  Panels<T> panels(int64_t image, bool transposed) const {
    return Panels<T>(values + image * (K + 1) * S,
                     transposed ? multiples(S, 1) : multiples(K + 1, S), transposed ? S : 1,
                     transposed ? K + 1 : S);
  }
};

/// D of one image, from the factors [M,K] of a column and of a row.
template <class T>
class Stack {
 public:
  Stack(const Unpool<T>& u, int64_t image)
      : K_(u.K), M_(u.M), falloff_(M_ * K_), row_(M_ * K_), column_(u.map.tile * M_ * K_) {
    for (int64_t i = 0; i < M_; ++i) {
      const T *first = u.centre + image * K_ * 2, *end = first + K_ * 2;
      centre_.insert(centre_.end(), first, end);
      std::fill_n(falloff_.begin() + i * K_, K_, T(0.5 / (u.widths[i].sigma * u.widths[i].sigma)));
      background_.push_back(T(u.widths[i].background));
    }
    factors_ = {u.map.height, u.map.width, M_ * K_, centre_.data(), falloff_.data()};
  }

  void columns(int64_t x0, int64_t x1) {
    factors_.columns(x0, x1, column_.data());
    columns_ = x1 - x0;
  }
  /// The maps of row y between these columns: a row every `row_length` elements.
  void write(int64_t y, T* D, int64_t row_length) {
    factors_.row(y, row_.data());
    for (int64_t i = 0; i < M_ * K_; ++i) row_[i] *= falloff_[i] * T(std::numbers::inv_pi);
    const T* column = column_.data();
    for (int64_t x = 0; x < columns_; ++x)
      for (int64_t i = 0; i < M_; ++i, D += row_length, column += K_) {
        const T* const row = row_.data() + i * K_;
        T sum = background_[i];
        for (int64_t k = 0; k < K_; ++k) sum += D[k] = row[k] * column[k];
        const T scale = 1 / sum;
        for (int64_t k = 0; k < K_; ++k) D[k] *= scale;
        D[K_] = background_[i] * scale;
      }
  }

 private:
  const int64_t K_, M_;
  std::vector<T> background_, centre_, falloff_, row_, column_;
  GaussianFactors<T> factors_;
  int64_t columns_ = 0;
};

// A tile is made in the cache and then copied out: written in place, rows of a few lines each, it
// takes twice as long.
template <class T>
void forward(const Unpool<T>& u, T* y) {
  u.map.each([&](int64_t, int64_t image, int64_t y0, int64_t y1) {
    const Panels<T> values = u.panels(image, false);
    Stack<T> stack(u, image);
    std::vector<T> tile(u.tile_rows() * u.row_length());
    T *const D = tile.data(), *const F = D + u.K + 1;
    u.map.each_tile([&](int64_t x0, int64_t x1) {
      const int64_t rows = (x1 - x0) * u.M;
      stack.columns(x0, x1);
      for (int64_t v = y0; v < y1; ++v) {
        stack.write(v, D, u.row_length());
        multiply_blocks(u.product(D, u.row_length(), rows, F, u.row_length(), u.S), values, 0);
        std::copy_n(D, rows * u.row_length(), y + u.offset(image, v, x0));
      }
    });
  });
}

/// The gradient of one tile, between columns x0 .. x1 of one image.
template <class T>
class TileGradient {
 public:
  TileGradient(const Unpool<T>& u, int64_t image)
      : u_(u),
        maps_(u.K + 1),
        stack_(u, image),
        transposed_values_(u.panels(image, true)),
        factors_{u.map.height, u.map.width, u.K, u.centre + image * u.K * 2, nullptr},
        D_(u.tile_rows() * maps_),
        g_(u.tile_rows() * maps_),
        dy_(u.tile_rows() * u.row_length() + panel_width<T>()) {
    for (const GaussianWidth& w : u.widths) inverse_.push_back(T(1 / (w.sigma * w.sigma)));
  }

  void columns(int64_t x0, int64_t x1) {
    x0_ = x0;
    x1_ = x1;
    rows_ = (x1 - x0) * u_.M;
    stack_.columns(x0, x1);
  }
  void read(int64_t v, const T* dy) {
    v_ = v;
    stack_.write(v, D_.data(), maps_);
    std::copy_n(dy, rows_ * u_.row_length(), dy_.data());
  }

  /// sums [K,2] += the gradient of the centres, but for the aspect.
  void add_centres(double* sums) {
    T* g = g_.data();
    const T *D = D_.data(), *dD = dy_.data();
    multiply_blocks(u_.product(dD + maps_, u_.row_length(), rows_, g, maps_, maps_),
                    transposed_values_, 0);
    for (int64_t x = x0_; x < x1_; ++x)
      for (int64_t i = 0; i < u_.M; ++i) {
        T mean = 0;
        for (int64_t k = 0; k < maps_; ++k) mean += D[k] * (g[k] += dD[k]);
        for (int64_t k = 0; k < u_.K; ++k) {
          const T c = inverse_[i] * D[k] * (g[k] - mean);
          sums[2 * k] += double(c * factors_.dx(x, k));
          sums[2 * k + 1] += double(c * factors_.dy(v_, k));
        }
        g += maps_;
        D += maps_;
        dD += u_.row_length();
      }
  }

  /// sums [K+1,S] += D^T dF.
  void add_values(T* sums) const {
    Block<T> block;
    block.M = maps_;
    block.N = u_.S;
    block.K = rows_;
    block.a = D_.data();
    block.a_row = 1;
    block.a_column = maps_;
    block.b = dy_.data() + maps_;
    block.b_row = u_.row_length();
    block.b_panel = panel_width<T>();
    block.c = sums;
    block.c_row = u_.S;
    block.accumulate = true;
    multiply_block(block);
  }

 private:
  const Unpool<T>& u_;
  const int64_t maps_;
  Stack<T> stack_;
  const Panels<T> transposed_values_;
  const GaussianFactors<T> factors_;
  int64_t v_ = 0, x0_ = 0, x1_ = 0, rows_ = 0;
  std::vector<T> D_, g_, dy_;  // dy is read as a panel, to a vector beyond its end
  std::vector<T> inverse_;
};

/// total[image, i] = the sum over the image's parts, times scale(i).
template <class P, class T, class Scale>
void add_parts(const MapParts& map, const std::vector<P>& parts, int64_t count, T* total,
               Scale&& scale) {
  for (int64_t n = 0; n < map.images; ++n)
    for (int64_t i = 0; i < count; ++i) {
      double sum = 0;
      for (int64_t p = 0; p < map.per_image; ++p)
        sum += double(parts[(n * map.per_image + p) * count + i]);
      total[n * count + i] = T(sum * scale(i));
    }
}

template <class T>
void backward(const Unpool<T>& u, const T* dy, T* dcentre, T* dvalues) {
  const int64_t of_centre = dcentre ? 2 * u.K : 0, of_values = dvalues ? (u.K + 1) * u.S : 0;
  std::vector<double> centre_parts(u.map.count() * of_centre);
  std::vector<T> value_parts(u.map.count() * of_values);
  u.map.each([&](int64_t part, int64_t image, int64_t y0, int64_t y1) {
    TileGradient<T> gradient(u, image);
    u.map.each_tile([&](int64_t x0, int64_t x1) {
      gradient.columns(x0, x1);
      for (int64_t v = y0; v < y1; ++v) {
        gradient.read(v, dy + u.offset(image, v, x0));
        if (dcentre) gradient.add_centres(centre_parts.data() + part * of_centre);
        if (dvalues) gradient.add_values(value_parts.data() + part * of_values);
      }
    });
  });
  const double aspect = double(u.map.width) / double(u.map.height);
  add_parts(u.map, centre_parts, of_centre, dcentre,
            [=](int64_t i) { return i % 2 == 0 ? aspect : 1 / aspect; });
  add_parts(u.map, value_parts, of_values, dvalues, [](int64_t) { return 1.0; });
}

}  // namespace

void gaussian_unpool(const Tensor& centre, const Tensor& values,
                     const std::vector<GaussianWidth>& widths, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    forward<T>(Unpool<T>(centre, values, widths, y), y.data<T>());
  });
}

void gaussian_unpool_backward(const Tensor& centre, const Tensor& values,
                              const std::vector<GaussianWidth>& widths, const Tensor& dy,
                              Tensor* dcentre, Tensor* dvalues) {
  with_float(dy.dtype(), [&](auto type) {
    using T = decltype(type);
    backward<T>(Unpool<T>(centre, values, widths, dy), dy.data<T>(),
                dcentre ? dcentre->data<T>() : nullptr, dvalues ? dvalues->data<T>() : nullptr);
  });
}

}  // namespace cairn::cpu
