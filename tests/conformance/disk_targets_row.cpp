// disk_targets: disks about annotated points, and in every cell of one the way to its point.
#include "kernels/heatmap/disk_targets.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

// The disks of all instances first, and then that of the first one over them.
Tensors formula(const Tensor& points, const Tensor& visible, double radius, const Shape& map) {
  const int64_t N = map[0], H = map[1], W = map[2], K = map[3], M = points.dim(1);
  Tensor disks = zeros64(map), weights = zeros64(map), offsets = zeros64({N, H, W, 2 * K});
  const auto each_cell = [&](int64_t n, int64_t k, auto&& f) {
    for (int64_t i = 0; i < H; ++i)
      for (int64_t j = 0; j < W; ++j) f(((n * H + i) * W + j) * K + k, double(j), double(i));
  };
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k) {
      std::vector<const double*> there;
      for (int64_t m = 0; m < M; ++m)
        if (const int64_t at = (n * M + m) * K + k; visible.data<uint8_t>()[at])
          there.push_back(in(points) + 2 * at);
      if (there.empty()) continue;
      each_cell(n, k, [&](int64_t to, double, double) { weights.data<double>()[to] = 1; });
      std::reverse(there.begin(), there.end());
      for (const double* p : there)
        each_cell(n, k, [&](int64_t to, double x, double y) {
          const double dx = p[0] - x, dy = p[1] - y;
          if (dx * dx + dy * dy > radius * radius) return;
          const bool own = p == there.back();
          disks.data<double>()[to] = weights.data<double>()[to] = own;
          offsets.data<double>()[2 * to] = own ? dx : 0;
          offsets.data<double>()[2 * to + 1] = own ? dy : 0;
        });
    }
  return {disks, weights, offsets};
}

// Points lie at halves of a cell: then many a cell's centre is at an edge, in any arithmetic.
Case disk_case(int64_t M, const Shape& map, double radius) {
  const int64_t N = map[0], K = map[3];
  Case c;
  c.label = text("points=", Shape{N, M, K, 2}, " map=", map, " radius=", radius);
  const int side = int(std::max(map[1], map[2]));
  c.inputs = {whole({N, M, K, 2}, 1, -6, 2 * side + 6), indices({N, M, K}, 2, 0, 2).to(DType::u8)};
  for (int64_t i = 0; i < c.inputs[0].count(); ++i) c.inputs[0].data<double>()[i] /= 2;
  for (int64_t i = 0; i < c.inputs[1].count(); ++i)
    if (!c.inputs[1].data<uint8_t>()[i]) c.inputs[0].data<double>()[2 * i] = NAN;
  c.formula = [=](const Tensors& x) { return formula(x[0], x[1], radius, map); };
  c.forward = [=](const Tensors& x) {
    Tensor disks = x[0].empty_like(map), weights = disks.empty_like(),
           offsets = x[0].empty_like({N, map[1], map[2], 2 * K});
    disk_targets(x[0], x[1], radius, disks, weights, offsets);
    return Tensors{disks, weights, offsets};
  };
  return c;
}

const bool added = add_row(
    {"disk_targets",
     {disk_case(1, {1, 1, 1, 1}, 1), disk_case(2, {0, 4, 4, 3}, 3), disk_case(0, {2, 4, 4, 3}, 3),
      disk_case(3, {2, 13, 9, 5}, 2.5), disk_case(1, {2, 64, 64, 16}, 3),
      disk_case(2, {1, 31, 47, 17}, 5), disk_case(4, {3, 9, 12, 4}, 1.7),
      disk_case(2, {2, 17, 21, 33}, 0.25), disk_case(5, {1, 8, 8, 2}, 50)},
     Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
