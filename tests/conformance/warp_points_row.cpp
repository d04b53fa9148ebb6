// warp_points: points and grids through an affine map and a thin-plate spline.
#include "kernels/warp/warp_points.h"

#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

PointWarp warp_of(const Tensors& x) { return {x[0], x[1], x[2]}; }

// (u, v) through the map of image n.
void place(const Tensors& x, int64_t n, double u, double v, double* to) {
  const int64_t count = x[0].dim(1);
  const double *c = in(x[0]) + 2 * n * count, *theta = in(x[1]) + 2 * n * (count + 3),
               *a = in(x[2]) + 6 * n;
  const double p = 2 * u - 1, q = 2 * v - 1;
  const double X = a[0] * p + a[1] * q + a[2], Y = a[3] * p + a[4] * q + a[5];
  for (int d = 0; d < 2; ++d) {
    double t = theta[2 * count + d] + X * theta[2 * count + 2 + d] + Y * theta[2 * count + 4 + d];
    for (int64_t j = 0; j < count; ++j) {
      const double r = std::hypot(X - c[2 * j], Y - c[2 * j + 1]);
      if (r > 0) t += theta[2 * j + d] * 2 * r * r * std::log(r);
    }
    to[d] = (t + 1) / 2;
  }
}

// Control points all over the image, weights whose terms do not cancel, a map near the identity.
Tensors drawn_warp(int64_t N, int64_t n) {
  Tensor theta = normal({N, n + 3, 2}, 2, 0.05), affine = normal({N, 2, 3}, 3, 0.2);
  const auto add_one = [](double& e) { e = float(e + 1); };
  for (int64_t i = 0; i < N; ++i) {
    add_one(theta.data<double>()[2 * (i * (n + 3) + n + 1)]);
    add_one(theta.data<double>()[2 * (i * (n + 3) + n + 2) + 1]);
    add_one(affine.data<double>()[6 * i]);
    add_one(affine.data<double>()[6 * i + 4]);
  }
  return {uniform({N, n, 2}, 1, -1, 1), theta, affine};
}

// Points from inside the image to half an image outside.
Case point_case(int64_t N, int64_t P, int64_t n) {
  Case c;
  c.label = text("points N=", N, " P=", P, " n=", n);
  c.inputs = drawn_warp(N, n);
  c.inputs.push_back(uniform({N, P, 2}, 4, -0.5, 1.5));
  c.formula = [=](const Tensors& x) {
    Tensor y = zeros64({N, P, 2});
    for (int64_t i = 0; i < N * P; ++i)
      place(x, i / P, in(x[3])[2 * i], in(x[3])[2 * i + 1], y.data<double>() + 2 * i);
    return Tensors{y};
  };
  c.forward = [](const Tensors& x) {
    Tensor y = x[3].empty_like();
    warp_points(x[3], warp_of(x), y);
    return Tensors{y};
  };
  c.backward = [](const Tensors& x, const Tensors&, const Tensors& dout) {
    Tensors d{Tensor(), Tensor(), Tensor(), x[3].empty_like()};
    warp_points_backward(x[3], warp_of(x), dout[0], d[3]);
    return d;
  };
  return c;
}

// All points on control points, whose terms of value and slope are 0. The affine map is the
// identity, and all numbers are exact in float32.
Case on_control_points() {
  Case c = point_case(2, 5, 5);
  c.label = "on control points";
  c.inputs[0] = whole({2, 5, 2}, 5, -8, 8);
  c.inputs[2] = Tensor::from<double>({2, 2, 3}, {1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0});
  for (int64_t i = 0; i < 20; ++i) {
    double& control = c.inputs[0].data<double>()[i];
    control /= 8;
    c.inputs[3].data<double>()[i] = (control + 1) / 2;
  }
  return c;
}

Case far_points() {
  Case c = point_case(1, 4, 9);
  c.label = "far points";
  const double far[] = {1e4, -1e4, 1e-4, 1e3, -300, 0.5, 1e4, 1e4};
  std::copy_n(far, 8, c.inputs[3].data<double>());
  c.differences = false;  // a step of 1e-6 drowns in values of 1e9
  return c;
}

Case grid_case(int64_t N, int64_t height, int64_t width, int64_t n) {
  Case c;
  c.label = text("grid N=", N, " ", height, "x", width, " n=", n);
  c.inputs = drawn_warp(N, n);
  c.formula = [=](const Tensors& x) {
    Tensor y = zeros64({N, height, width, 2});
    for (int64_t i = 0; i < N * height * width; ++i)
      place(x, i / (height * width), (double(i % width) + 0.5) / double(width),
            (double(i / width % height) + 0.5) / double(height), y.data<double>() + 2 * i);
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like({N, height, width, 2});
    warped_grid(warp_of(x), y);
    return Tensors{y};
  };
  return c;
}

const bool added =
    add_row({"warp_points",
             {point_case(1, 1, 0), point_case(3, 7, 0), point_case(0, 5, 4), point_case(2, 0, 4),
              point_case(1, 1, 1), point_case(3, 10, 49), point_case(2, 67, 10),
              point_case(1, 500, 100), on_control_points(), far_points(), grid_case(1, 1, 1, 3),
              grid_case(0, 4, 4, 9), grid_case(3, 5, 9, 0), grid_case(2, 33, 31, 49)}});

}  // namespace
}  // namespace cairn::conformance
