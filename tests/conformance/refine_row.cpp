// refine: coordinates from linear indices, with the quadratic and the soft-argmax offset.
#include "kernels/points/refine.h"

#include <cmath>

#include "tests/conformance/point_maps.h"

namespace cairn::conformance {
namespace {

using Offset = std::pair<double, double>;

Offset quadratic(const double* s, int64_t height, int64_t width, int64_t x, int64_t y) {
  if (x == 0 || y == 0 || x == width - 1 || y == height - 1) return {0, 0};
  double l[3][3];
  for (int v = 0; v < 3; ++v)
    for (int u = 0; u < 3; ++u) l[v][u] = std::log(s[(y + v - 1) * width + x + u - 1]);
  const double gx = (l[1][2] - l[1][0]) / 2, gy = (l[2][1] - l[0][1]) / 2;
  const double a = l[1][2] - 2 * l[1][1] + l[1][0], c = l[2][1] - 2 * l[1][1] + l[0][1];
  const double b = (l[2][2] - l[2][0] - l[0][2] + l[0][0]) / 4;
  if (a * c - b * b <= 0 || a + c >= 0) return {0, 0};
  const double ox = -(c * gx - b * gy) / (a * c - b * b), oy = -(a * gy - b * gx) / (a * c - b * b);
  return std::max(std::abs(ox), std::abs(oy)) <= 0.5 ? Offset(ox, oy) : Offset(0, 0);
}

Offset soft_argmax(const double* s, int64_t height, int64_t width, int64_t x, int64_t y) {
  double sum = 0, sum_x = 0, sum_y = 0;
  for_pixels_around(y * width + x, height, width, 2, [&](int64_t q) {
    sum += s[q];
    sum_x += s[q] * double(q % width - x);
    sum_y += s[q] * double(q / width - y);
  });
  return {sum_x / sum, sum_y / sum};
}

// Points at local maxima, as they are in use, and some at any place.
Case refine_case(const Shape& shape, int64_t k, Refinement how) {
  Case c;
  c.label = text("heat=", shape, " k=", k, " how=", int(how));
  const Tensor heat = uniform(shape, 1, 0.01, 1);
  Tensor index = indices({shape[0], k}, 2, -1, int(shape[1] * shape[2]) - 1);
  c.inputs = {heat, index};
  c.formula = [=](const Tensors& x) {
    Tensor points = zeros64({shape[0], k, 2});
    for (int64_t i = 0; i < shape[0] * k; ++i) {
      const int32_t p = x[1].data<int32_t>()[i];
      if (p < 0) continue;
      const double* map = in(x[0]) + i / k * shape[1] * shape[2];
      const int64_t px = p % shape[2], py = p / shape[2];
      Offset offset(0, 0);
      if (how == Refinement::quadratic) offset = quadratic(map, shape[1], shape[2], px, py);
      if (how == Refinement::soft_argmax) offset = soft_argmax(map, shape[1], shape[2], px, py);
      points.data<double>()[2 * i] = double(px) + offset.first;
      points.data<double>()[2 * i + 1] = double(py) + offset.second;
    }
    return Tensors{points};
  };
  c.forward = [=](const Tensors& x) {
    Tensor points = x[0].empty_like({shape[0], k, 2});
    refine(x[0], x[1], how, points);
    return Tensors{points};
  };
  return c;
}

const bool added = add_row({"refine",
                            {refine_case({1, 1, 1}, 3, Refinement::quadratic),
                             refine_case({1, 1, 1}, 3, Refinement::soft_argmax),
                             refine_case({0, 4, 4}, 3, Refinement::quadratic),
                             refine_case({2, 13, 29}, 300, Refinement::none),
                             refine_case({2, 13, 29}, 300, Refinement::quadratic),
                             refine_case({2, 13, 29}, 300, Refinement::soft_argmax)},
                            Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
