// warp_image: images through homographies, and where they are valid.
#include "kernels/warp/warp_image.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

struct Sizes {
  int64_t N, H, W, C, rows, columns;
};

double value(const Tensor& x, int64_t n, double v, double u, int64_t c) {
  const int64_t i = int64_t(v), j = int64_t(u);
  if (i < 0 || i >= x.dim(1) || j < 0 || j >= x.dim(2)) return 0;
  const int64_t at = ((n * x.dim(1) + i) * x.dim(2) + j) * x.dim(3) + c;
  return x.dtype() == DType::u8 ? x.data<uint8_t>()[at] : in(x)[at];
}

double pixel(const Tensor& x, int64_t n, double px, double py, int64_t c, const WarpOptions& o) {
  if (o.padding == Padding::border) {
    px = std::clamp(px, 0.0, double(x.dim(2) - 1));
    py = std::clamp(py, 0.0, double(x.dim(1) - 1));
  }
  if (o.interpolation == Interpolation::nearest)
    return value(x, n, std::floor(py + 0.5), std::floor(px + 0.5), c);
  const double u = std::floor(px), v = std::floor(py), a = px - u, b = py - v;
  return (1 - b) * ((1 - a) * value(x, n, v, u, c) + a * value(x, n, v, u + 1, c)) +
         b * ((1 - a) * value(x, n, v + 1, u, c) + a * value(x, n, v + 1, u + 1, c));
}

Tensors formula(const Tensor& x, const Tensor& matrices, const Sizes& s, const WarpOptions& o) {
  Tensor y = Tensor::empty({s.N, s.rows, s.columns, s.C}, x.dtype());
  Tensor valid = Tensor::empty({s.N, s.rows, s.columns}, DType::u8);
  for (int64_t i = 0; i < valid.count(); ++i) {
    const int64_t n = i / (s.rows * s.columns);
    const double* m = in(matrices) + 9 * n;
    const double u = double(i % s.columns), v = double(i / s.columns % s.rows);
    const double w = m[6] * u + m[7] * v + m[8];
    const double px = (m[0] * u + m[1] * v + m[2]) / w, py = (m[3] * u + m[4] * v + m[5]) / w;
    const bool defined = std::abs(w) >= 1e-6;
    valid.data<uint8_t>()[i] =
        defined && px >= -.5 && px < double(s.W) - .5 && py >= -.5 && py < double(s.H) - .5;
    for (int64_t c = 0; c < s.C; ++c) {
      const double p = defined ? pixel(x, n, px, py, c, o) : 0;
      if (x.dtype() == DType::u8)
        y.data<uint8_t>()[i * s.C + c] = uint8_t(std::floor(p + 0.5));
      else
        y.data<double>()[i * s.C + c] = p;
    }
  }
  return {y, valid};
}

Case warp_case(const Sizes& s, const WarpOptions& o, const Tensor& x, const Tensor& matrices) {
  Case c;
  c.label = text("x=", x.shape(), " ", x.dtype(), " y=", s.rows, "x", s.columns,
                 o.interpolation == Interpolation::nearest ? " nearest" : " bilinear",
                 o.padding == Padding::zeros ? " zeros" : " border");
  c.inputs = {x, matrices};
  c.tolerance = 5e-5;  // float32 positions, on images of noise
  c.formula = [=](const Tensors& t) { return formula(t[0], t[1], s, o); };
  c.forward = [=](const Tensors& t) {
    Tensor y = t[0].empty_like({s.N, s.rows, s.columns, s.C});
    Tensor valid = Tensor::empty({s.N, s.rows, s.columns}, DType::u8, y.device());
    warp_image(t[0], t[1], o, y, &valid);
    return Tensors{y, valid};
  };
  return c;
}

// Random homographies not far from the identity.
Tensor homographies(int64_t N) {
  Tensor m = uniform({N, 3, 3}, 4, -1, 1);
  const double scale[] = {.2, .2, 3, .2, .2, 3, .005, .005, 0};
  for (int64_t i = 0; i < m.count(); ++i) {
    double& e = m.data<double>()[i];
    e = float(scale[i % 9] * e + (i % 9 % 4 == 0));
  }
  return m;
}

Case real_case(const Sizes& s, const WarpOptions& o) {
  return warp_case(s, o, normal({s.N, s.H, s.W, s.C}, 1), homographies(s.N));
}

// Bytes, moved by whole eighths of a pixel: exact in float32, ties of the rounding included.
Case byte_case(const WarpOptions& o) {
  const Sizes s{2, 9, 7, 3, 8, 11};
  Tensor m = zeros64({2, 3, 3});
  const double shift[2][2] = {{0.5, -0.25}, {-1.625, 2.875}};
  for (int64_t n = 0; n < 2; ++n) {
    double* e = m.data<double>() + 9 * n;
    e[0] = e[4] = e[8] = 1;
    e[2] = shift[n][0];
    e[5] = shift[n][1];
  }
  return warp_case(s, o, indices({2, 9, 7, 3}, 2, 0, 255).to(DType::u8), m);
}

Case no_position() {
  const Sizes s{1, 4, 5, 2, 3, 3};
  return warp_case(s, {}, normal({1, 4, 5, 2}, 1), zeros64({1, 3, 3}));
}

constexpr WarpOptions smooth{}, smooth_border{Interpolation::bilinear, Padding::border},
    hard{Interpolation::nearest, Padding::zeros},
    hard_border{Interpolation::nearest, Padding::border};

const bool added = add_row(
    {"warp_image",
     {real_case({1, 1, 1, 1, 1, 1}, smooth), real_case({0, 4, 4, 3, 5, 5}, smooth),
      real_case({3, 12, 17, 1, 12, 17}, smooth), real_case({3, 12, 17, 3, 9, 21}, smooth_border),
      real_case({3, 12, 17, 2, 12, 17}, hard), real_case({3, 12, 17, 1, 14, 19}, hard_border),
      real_case({1, 120, 161, 1, 100, 140}, smooth), byte_case(smooth), byte_case(smooth_border),
      byte_case(hard), no_position()},
     Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
