// spatial_moments: mean and variance of a non-negative map.
#include "kernels/heatmap/spatial_moments.h"

#include "runtime/error.h"
#include "tests/conformance/conformance.h"
#include "tests/conformance/map_moments.h"

namespace cairn::conformance {
namespace {

Tensors formula(const Tensor& map) {
  const int64_t N = map.dim(0), H = map.dim(1), W = map.dim(2), K = map.dim(3);
  Tensor point = zeros64({N, K, 2}), variance = zeros64({N, K, 2});
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k) {
      const auto weight = [=](int64_t i, int64_t j) {
        return in(map)[((n * H + i) * W + j) * K + k];
      };
      double zeta = 1e-6;
      for (int64_t i = 0; i < H; ++i)
        for (int64_t j = 0; j < W; ++j) zeta += weight(i, j);
      const Moments m = moments_of(H, W, zeta, weight);
      for (int axis = 0; axis < 2; ++axis) {
        point.data<double>()[(n * K + k) * 2 + axis] = m.point[axis];
        variance.data<double>()[(n * K + k) * 2 + axis] = m.variance[axis];
      }
    }
  return {point, variance};
}

Tensors forward(const Tensor& map) {
  const Shape per_point{map.dim(0), map.dim(3), 2};
  Tensors out{map.empty_like(per_point), map.empty_like(per_point),
              map.empty_like({map.dim(0), map.dim(3)})};
  spatial_moments(map, out[0], out[1], out[2]);
  return out;
}

Case moments_case(const Tensor& map, const char* what = "") {
  Case c;
  c.label = text("map=", map.shape(), what);
  c.inputs = {map};
  c.formula = [](const Tensors& x) { return formula(x[0]); };
  c.forward = [](const Tensors& x) {
    Tensors out = forward(x[0]);
    out.pop_back();
    return out;
  };
  c.backward = [](const Tensors& x, const Tensors&, const Tensors& dout) {
    const Tensors saved = forward(x[0]);
    Tensor dmap = x[0].empty_like();
    spatial_moments_backward(saved[0], saved[1], saved[2], dout[0], dout[1], dmap);
    return Tensors{dmap};
  };
  return c;
}

Case dead_maps() {
  Case c = moments_case(zeros64({2, 6, 5, 3}), " dead");
  c.differences = false;  // the slope changes within 1e-6 of zero
  return c;
}

// All weight in one pixel (but for one channel): the variance is zero up to rounding.
Case single_pixels() {
  Tensor map = zeros64({1, 40, 30, 3});
  for (int64_t k = 0; k < 3; ++k) map.data<double>()[(333 * k + 100) * 3 + k] = 1;
  map.data<double>()[2] = 1;
  return moments_case(map, " single pixels");
}

// The gradient is what the small constant in zeta leaves of x_u - x: a difference of equal numbers.
Case one_pixel() {
  Case c = moments_case(uniform({2, 1, 1, 3}, 3, 0, 1));
  c.gradient_tolerance = 0.2;
  return c;
}

Tensor random_map(const Shape& shape, double scale = 1) { return uniform(shape, 3, 0, scale); }

const bool added =
    add_row({"spatial_moments",
             {one_pixel(), moments_case(random_map({0, 4, 4, 3})),
              moments_case(random_map({2, 7, 5, 3})), moments_case(random_map({1, 33, 17, 16})),
              moments_case(random_map({2, 3, 4, 65})), moments_case(random_map({1, 130, 97, 6})),
              moments_case(random_map({1, 9, 8, 5}, 1e6), " huge"), single_pixels(), dead_maps()},
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
