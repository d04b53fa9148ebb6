// grid_sample: bilinear samples of an image at a list of points.
#include "kernels/warp/grid_sample.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

double to_pixels(Coordinates coordinates, double u, double size) {
  switch (coordinates) {
    case Coordinates::index:
      return u;
    case Coordinates::unit:
      return u * size - 0.5;
    case Coordinates::ndc:
      return ((u + 1) * size - 1) / 2;
    case Coordinates::ndc_corners:
      return (u + 1) * (size - 1) / 2;
  }
  return 0;
}

double from_pixels(Coordinates coordinates, double p, double size) {
  const double at0 = to_pixels(coordinates, 0, size), at1 = to_pixels(coordinates, 1, size);
  return at1 == at0 ? 0.3 : (p - at0) / (at1 - at0);
}

// Every pixel counts with a hat function of its distance: no cases at borders.
Tensor formula(const Tensor& image, const Tensor& points, const SampleOptions& o) {
  const int64_t N = image.dim(0), H = image.dim(1), W = image.dim(2), C = image.dim(3);
  const int64_t P = points.dim(1);
  Tensor y = zeros64({N, P, C});
  const auto hat = [](double d) { return std::max(0.0, 1 - std::abs(d)); };
  for (int64_t i = 0; i < N * P; ++i) {
    double px = to_pixels(o.coordinates, in(points)[2 * i], double(W));
    double py = to_pixels(o.coordinates, in(points)[2 * i + 1], double(H));
    if (o.padding == Padding::border) {
      px = std::clamp(px, 0.0, double(W - 1));
      py = std::clamp(py, 0.0, double(H - 1));
    }
    for (int64_t v = 0; v < H; ++v)
      for (int64_t u = 0; u < W; ++u) {
        const double weight = hat(px - double(u)) * hat(py - double(v));
        if (weight == 0) continue;
        for (int64_t c = 0; c < C; ++c)
          y.data<double>()[i * C + c] += weight * in(image)[((i / P * H + v) * W + u) * C + c];
      }
  }
  return y;
}

// Positions from 2 pixels outside to 2 pixels outside, none within 0.05 of a kink.
Tensor clear_points(int64_t N, int64_t P, int64_t H, int64_t W, Coordinates coordinates) {
  Tensor points = zeros64({N, P, 2});
  const Tensor place = uniform({N, P, 2}, 11, 0, 1), part = uniform({N, P, 2}, 12, 0.05, 0.95);
  for (int64_t i = 0; i < points.count(); ++i) {
    const double size = double(i % 2 == 0 ? W : H);
    const double pixel = std::floor(in(place)[i] * (size + 3)) - 2 + in(part)[i];
    points.data<double>()[i] = float(from_pixels(coordinates, pixel, size));
  }
  return points;
}

Case sample_case(const Shape& image, int64_t P, Coordinates coordinates, Padding padding) {
  const SampleOptions o{coordinates, padding};
  Case c;
  c.label = text("image=", image, " points=", P, " coordinates=", int(coordinates),
                 padding == Padding::zeros ? " zeros" : " border");
  c.inputs = {normal(image, 1), clear_points(image[0], P, image[1], image[2], coordinates)};
  c.tolerance = c.gradient_tolerance = 5e-5;  // positions are good to 1e-7 of the image
  c.formula = [=](const Tensors& x) { return Tensors{formula(x[0], x[1], o)}; };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like({x[0].dim(0), P, x[0].dim(3)});
    grid_sample(x[0], x[1], o, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dout) {
    Tensors d{x[0].empty_like(), x[1].empty_like()};
    grid_sample_backward_image(x[1], dout[0], o, d[0]);
    grid_sample_backward_points(x[0], x[1], dout[0], o, d[1]);
    return d;
  };
  return c;
}

// Positions that no image has.
Case far_points() {
  Case c = sample_case({1, 4, 5, 3}, 6, Coordinates::index, Padding::zeros);
  c.label = "far points";
  const double far[] = {1e9, -1e9, 1e30, -1e30, 5.5, -1.5};
  for (int64_t i = 0; i < 6; ++i) c.inputs[1].data<double>()[2 * i] = float(far[i]);
  return c;
}

// All points on one pixel: the scatter adds them all to the same place.
Case one_target() {
  Case c = sample_case({1, 4, 5, 3}, 2000, Coordinates::index, Padding::zeros);
  c.label = "one target";
  c.inputs[1] = uniform({1, 2000, 2}, 5, 1.05, 1.95);
  return c;
}

constexpr auto index_ = Coordinates::index, unit = Coordinates::unit, ndc = Coordinates::ndc,
               corners = Coordinates::ndc_corners;
constexpr auto zeros = Padding::zeros, border = Padding::border;

const bool added = add_row(
    {"grid_sample",
     {sample_case({1, 1, 1, 1}, 3, index_, zeros), sample_case({1, 1, 1, 1}, 3, corners, border),
      sample_case({0, 4, 4, 3}, 5, unit, zeros), sample_case({2, 4, 4, 3}, 0, unit, zeros),
      sample_case({2, 7, 5, 3}, 40, index_, zeros), sample_case({2, 7, 5, 3}, 40, unit, border),
      sample_case({2, 5, 8, 2}, 40, ndc, zeros), sample_case({2, 5, 8, 1}, 40, ndc, border),
      sample_case({2, 6, 9, 4}, 40, corners, zeros), sample_case({1, 6, 9, 5}, 40, corners, border),
      sample_case({1, 6, 5, 65}, 20, unit, zeros), sample_case({1, 30, 40, 70}, 500, index_, zeros),
      far_points(), one_target()},
     Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
