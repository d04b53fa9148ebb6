// landmark_maps: channel softmax, and mean and variance of its maps but the last.
#include "kernels/heatmap/landmark_maps.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"
#include "tests/conformance/map_moments.h"

namespace cairn::conformance {
namespace {

// outputs: maps, point, variance, zeta
Tensors formula(const Tensor& z) {
  const int64_t N = z.dim(0), H = z.dim(1), W = z.dim(2), C = z.dim(3), K = C - 1;
  Tensor maps = zeros64(z.shape()), point = zeros64({N, K, 2}), variance = zeros64({N, K, 2}),
         zeta = zeros64({N, K});
  for (int64_t u = 0; u < N * H * W; ++u) {
    const double* from = in(z) + u * C;
    const double top = *std::max_element(from, from + C);
    double sum = 0;
    for (int64_t c = 0; c < C; ++c) sum += std::exp(from[c] - top);
    for (int64_t c = 0; c < C; ++c) maps.data<double>()[u * C + c] = std::exp(from[c] - top) / sum;
  }
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k) {
      const auto weight = [&](int64_t i, int64_t j) {
        return in(maps)[((n * H + i) * W + j) * C + k];
      };
      double sum = 1e-6;
      for (int64_t i = 0; i < H; ++i)
        for (int64_t j = 0; j < W; ++j) sum += weight(i, j);
      zeta.data<double>()[n * K + k] = sum;
      const Moments m = moments_of(H, W, sum, weight);
      for (int axis = 0; axis < 2; ++axis) {
        point.data<double>()[(n * K + k) * 2 + axis] = m.point[axis];
        variance.data<double>()[(n * K + k) * 2 + axis] = m.variance[axis];
      }
    }
  return {maps, point, variance, zeta};
}

Tensors forward(const Tensor& z) {
  const Shape per_point{z.dim(0), z.dim(3) - 1, 2};
  Tensors out{z.empty_like(), z.empty_like(per_point), z.empty_like(per_point),
              z.empty_like({z.dim(0), z.dim(3) - 1})};
  landmark_maps(z, out[0], out[1], out[2], out[3]);
  return out;
}

// All but zeta has a gradient.
Case maps_case(const Tensor& z, const char* what = "") {
  Case c;
  c.label = text("logits=", z.shape(), what);
  c.inputs = {z};
  c.formula = [](const Tensors& x) {
    Tensors out = formula(x[0]);
    out.pop_back();
    return out;
  };
  c.forward = [](const Tensors& x) {
    Tensors out = forward(x[0]);
    out.pop_back();
    return out;
  };
  c.backward = [](const Tensors& x, const Tensors& out, const Tensors& dout) {
    const Tensors saved = forward(x[0]);
    Tensor dz = x[0].empty_like();
    landmark_maps_backward(out[0], out[1], out[2], saved[3], dout[0], dout[1], dout[2], dz);
    return Tensors{dz};
  };
  return c;
}

// The points and their variances alone are used: dmaps is undefined.
Case moments_case(const Tensor& z) {
  Case c = maps_case(z, " without dmaps");
  c.formula = [](const Tensors& x) {
    const Tensors out = formula(x[0]);
    return Tensors{out[1], out[2]};
  };
  c.forward = [](const Tensors& x) {
    const Tensors out = forward(x[0]);
    return Tensors{out[1], out[2]};
  };
  c.backward = [](const Tensors& x, const Tensors&, const Tensors& dout) {
    const Tensors saved = forward(x[0]);
    Tensor dz = x[0].empty_like();
    landmark_maps_backward(saved[0], saved[1], saved[2], saved[3], {}, dout[0], dout[1], dz);
    return Tensors{dz};
  };
  return c;
}

Case zeta_case(const Tensor& z) {
  Case c = maps_case(z, " zeta");
  c.formula = [](const Tensors& x) { return Tensors{formula(x[0])[3]}; };
  c.forward = [](const Tensors& x) { return Tensors{forward(x[0])[3]}; };
  c.backward = nullptr;
  return c;
}

// The second channel is 0 at every pixel.
Tensor one_dead(const Shape& shape) {
  Tensor z = normal(shape, 1);
  for (int64_t i = 1; i < z.count(); i += shape[3]) z.data<double>()[i] = -1e4;
  return z;
}

// Of the order of 1e4; the first two channels are close to each other, where they lead they share.
Case extreme() {
  Tensor z = normal({2, 9, 8, 5}, 1, 1e4);
  for (int64_t i = 0; i < z.count(); i += 5)
    z.data<double>()[i + 1] = float(z.data<double>()[i] + double(i % 4) / 4);
  Case c = maps_case(z, " extreme");
  c.differences = false;  // 1e4 leaves too few digits for them
  return c;
}

Case large() {
  Case c = maps_case(normal({2, 130, 97, 9}, 1, 2));
  c.large = true;
  return c;
}

const bool added =
    add_row({"landmark_maps",
             {maps_case(normal({1, 1, 1, 2}, 1)), maps_case(normal({0, 4, 4, 3}, 1)),
              maps_case(normal({2, 7, 5, 4}, 1, 3)), maps_case(normal({2, 6, 9, 2}, 1)),
              maps_case(normal({3, 17, 19, 11}, 1, 3)), maps_case(normal({1, 20, 33, 31}, 1)),
              maps_case(normal({2, 3, 4, 33}, 1)), maps_case(normal({1, 9, 5, 64}, 1)), large(),
              moments_case(normal({2, 11, 13, 11}, 1)), zeta_case(normal({2, 11, 13, 5}, 1)),
              maps_case(one_dead({2, 6, 5, 4}), " dead"), extreme()},
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
