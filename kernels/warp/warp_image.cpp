#include "kernels/warp/warp_image.h"

#include <algorithm>
#include <type_traits>

#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

template <class P>
struct Picture {
  const P* data;
  int64_t height, width, channels;
  const P* at(int64_t y, int64_t x) const { return data + (y * width + x) * channels; }
};

template <class P>
void nearest(const Picture<P>& image, const Projected<double>& p, Padding padding, P* out) {
  if (padding == Padding::zeros && !p.inside(image.height, image.width)) {
    std::fill_n(out, image.channels, P(0));
    return;
  }
  std::copy_n(image.at(nearest_pixel(p.y, image.height), nearest_pixel(p.x, image.width)),
              image.channels, out);
}

template <class P>
void bilinear(const Picture<P>& image, const Projected<double>& p, Padding padding, P* out) {
  using T = std::conditional_t<std::is_same_v<P, double>, double, float>;
  const auto u = axis_tap(p.x, image.width, padding), v = axis_tap(p.y, image.height, padding);
  const P *p00 = image.at(v.at[0], u.at[0]), *p01 = image.at(v.at[0], u.at[1]);
  const P *p10 = image.at(v.at[1], u.at[0]), *p11 = image.at(v.at[1], u.at[1]);
  const T w00 = T(v.weight[0] * u.weight[0]), w01 = T(v.weight[0] * u.weight[1]);
  const T w10 = T(v.weight[1] * u.weight[0]), w11 = T(v.weight[1] * u.weight[1]);
  for (int64_t c = 0; c < image.channels; ++c) {
    const T value = w00 * T(p00[c]) + w01 * T(p01[c]) + w10 * T(p10[c]) + w11 * T(p11[c]);
    out[c] = std::is_same_v<P, uint8_t> ? P(value + T(0.5)) : P(value);
  }
}

template <class P>
void warp(const Tensor& x, const Tensor& matrices, const WarpOptions& options, Tensor& y,
          Tensor* valid) {
  const int64_t rows = y.dim(1), columns = y.dim(2), C = y.dim(3);
  const Tensor maps = matrices.to(DType::f64);
  const P* from = x.data<P>();
  P* to = y.data<P>();
  uint8_t* mask = valid ? valid->data<uint8_t>() : nullptr;
  parallel_for(
      y.dim(0) * rows, std::max<int64_t>((1 << 12) / (columns * C + 1), 1),
      [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          const int64_t n = row / rows;
          const double* m = maps.data<double>() + 9 * n;
          const Picture<P> image{from + n * x.dim(1) * x.dim(2) * C, x.dim(1), x.dim(2), C};
          for (int64_t column = 0; column < columns; ++column) {
            const Projected<double> p(m, double(column), double(row % rows));
            P* out = to + (row * columns + column) * C;
            if (!p.defined)
              std::fill_n(out, C, P(0));
            else if (options.interpolation == Interpolation::nearest)
              nearest(image, p, options.padding, out);
            else
              bilinear(image, p, options.padding, out);
            if (mask) mask[row * columns + column] = p.inside(image.height, image.width);
          }
        }
      });
}

}  // namespace

void warp_image(const Tensor& x, const Tensor& matrices, const WarpOptions& options, Tensor& y,
                Tensor* valid) {
  if (x.dtype() == DType::u8) return warp<uint8_t>(x, matrices, options, y, valid);
  with_float(x.dtype(), [&](auto type) { warp<decltype(type)>(x, matrices, options, y, valid); });
}

}  // namespace cairn::cpu
