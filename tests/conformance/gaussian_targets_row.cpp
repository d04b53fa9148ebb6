// gaussian_targets: heatmaps drawn from annotated points.
#include "kernels/heatmap/gaussian_targets.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

double centre_of(TargetCentre rule, double u) {
  if (rule == TargetCentre::rounded) return std::floor(u + 0.5);
  return rule == TargetCentre::truncated ? std::trunc(u) : u;
}

Tensor formula(const Tensor& points, const Tensor& visible, const TargetOptions& o, int64_t H,
               int64_t W) {
  const int64_t N = points.dim(0), M = points.dim(1), K = points.dim(2);
  Tensor y = zeros64({N, H, W, K}), sum = zeros64(y.shape()), covering = zeros64(y.shape());
  for (int64_t n = 0; n < N; ++n)
    for (int64_t m = 0; m < M; ++m)
      for (int64_t k = 0; k < K; ++k) {
        const int64_t at = (n * M + m) * K + k;
        if (!visible.data<uint8_t>()[at]) continue;
        const double amplitude = visible.data<uint8_t>()[at] == 1 ? o.hidden : 1;
        for (int64_t i = 0; i < H; ++i)
          for (int64_t j = 0; j < W; ++j) {
            const double dx = double(j) - centre_of(o.centre, in(points)[2 * at]);
            const double dy = double(i) - centre_of(o.centre, in(points)[2 * at + 1]);
            if (std::abs(dx) > o.half_width || std::abs(dy) > o.half_width) continue;
            const int64_t to = ((n * H + i) * W + j) * K + k;
            const double value =
                amplitude * std::exp(-(dx * dx + dy * dy) / (2 * o.sigma * o.sigma));
            double& out = y.data<double>()[to];
            if (std::abs(value) > std::abs(out)) out = value;
            sum.data<double>()[to] += value;
            covering.data<double>()[to] += 1;
          }
      }
  if (o.overlap == TargetOverlap::mean)
    for (int64_t i = 0; i < y.count(); ++i)
      y.data<double>()[i] = sum.data<double>()[i] / std::max(1.0, covering.data<double>()[i]);
  return y;
}

Case target_case(int64_t N, int64_t M, int64_t K, int64_t H, int64_t W, const TargetOptions& o) {
  Case c;
  c.label = text("points=", Shape{N, M, K, 2}, " map=", H, "x", W, " sigma=", o.sigma,
                 " half_width=", o.half_width, " centre=", int(o.centre),
                 " overlap=", int(o.overlap), " hidden=", o.hidden);
  const double side = double(std::max(H, W));
  c.inputs = {uniform({N, M, K, 2}, 1, -3, side + 3), indices({N, M, K}, 2, 0, 3).to(DType::u8)};
  c.tolerance = 5e-6;
  c.formula = [=](const Tensors& x) { return Tensors{formula(x[0], x[1], o, H, W)}; };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like({N, H, W, K});
    gaussian_targets(x[0], x[1], o, y);
    return Tensors{y};
  };
  return c;
}

const bool added =
    add_row({"gaussian_targets",
             {target_case(1, 1, 1, 1, 1, {}), target_case(0, 2, 3, 4, 4, {}),
              target_case(2, 0, 3, 4, 4, {}), target_case(2, 3, 5, 13, 9, {}),
              target_case(2, 2, 16, 64, 64, {1.75, 3, TargetCentre::rounded}),
              target_case(1, 2, 17, 31, 47, {1, 4, TargetCentre::truncated}),
              target_case(1, 3, 4, 9, 12, {0.75, 1, TargetCentre::rounded}),
              target_case(1, 3, 4, 9, 12, {2, 4.5, TargetCentre::exact}),
              target_case(2, 3, 5, 13, 9, {.overlap = TargetOverlap::mean}),
              target_case(2, 5, 3, 17, 21, {1.5, 5.5, TargetCentre::exact, TargetOverlap::mean}),
              target_case(2, 4, 5, 33, 30, {.hidden = -1})},
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
