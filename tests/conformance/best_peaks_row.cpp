// best_peaks: points in falling order, each deletes what is near; the first of those in the border.
#include "kernels/points/best_peaks.h"

#include <cmath>
#include <numeric>

#include "tests/conformance/point_maps.h"

namespace cairn::conformance {
namespace {

// The linear indices of the peaks of one map, best first.
std::vector<int64_t> peaks_of(const double* s, int64_t height, int64_t width,
                              const PeakRule& rule) {
  std::vector<int64_t> order(height * width), peaks;
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return stronger(s, a, b); });
  std::vector<bool> deleted(order.size());
  for (int64_t p : order) {
    if (deleted[p] || s[p] <= rule.threshold) continue;
    for_pixels_around(p, height, width, rule.radius, [&](int64_t q) { deleted[q] = true; });
    const int64_t x = p % width, y = p / width, b = rule.border;
    if (x >= b && x < width - b && y >= b && y < height - b) peaks.push_back(p);
  }
  return peaks;
}

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

Tensors best_of(const Tensor& heat, const PeakRule& rule, int64_t k) {
  const int64_t images = heat.dim(0), height = heat.dim(1), width = heat.dim(2);
  Tensor index = Tensor::full({images, k}, -1, DType::i32), score = zeros64({images, k});
  Tensor point = zeros64({images, k, 2}), count = Tensor::zeros({images}, DType::i32);
  for (int64_t n = 0; n < images; ++n) {
    const double* s = in(heat) + n * height * width;
    const auto peaks = peaks_of(s, height, width, rule);
    const int64_t best = std::min<int64_t>(k, peaks.size());
    for (int64_t i = 0; i < best; ++i) {
      index.data<int32_t>()[n * k + i] = int32_t(peaks[i]);
      score.data<double>()[n * k + i] = s[peaks[i]];
      const int64_t px = peaks[i] % width, py = peaks[i] / width;
      Offset offset(0, 0);
      if (rule.refinement == Refinement::quadratic) offset = quadratic(s, height, width, px, py);
      if (rule.refinement == Refinement::soft_argmax)
        offset = soft_argmax(s, height, width, px, py);
      point.data<double>()[2 * (n * k + i)] = double(px) + offset.first;
      point.data<double>()[2 * (n * k + i) + 1] = double(py) + offset.second;
    }
    count.data<int32_t>()[n] = int32_t(best);
  }
  return Tensors{index, score, point, count};
}

Case peaks_case(const char* kind, const Tensor& heat, const PeakRule& rule, int64_t k) {
  Case c;
  c.label = text(kind, " ", heat.shape(), " radius=", rule.radius, " threshold=", rule.threshold,
                 " border=", rule.border, " refinement=", int(rule.refinement), " k=", k);
  c.inputs = {heat};
  c.formula = [=](const Tensors& x) { return best_of(x[0], rule, k); };
  c.forward = [=](const Tensors& x) {
    BestPeaks best = empty_best_peaks(x[0], k);
    best_peaks(x[0], rule, best);
    return Tensors{best.index, best.score, best.point, best.count};
  };
  return c;
}

const bool added = add_row(
    {"best_peaks",
     {peaks_case("random", normal({1, 1, 1}, 1), {4, -10, 0}, 1),
      peaks_case("none", normal({1, 1, 1}, 1), {4, 10, 0}, 3),
      peaks_case("empty", normal({0, 5, 5}, 1), {4, 0, 0}, 3),
      peaks_case("empty", normal({2, 0, 5}, 1), {4, 0, 1}, 3),
      peaks_case("all in the border", normal({2, 3, 3}, 1), {1, -10, 2}, 4),
      peaks_case("random", normal({2, 31, 45}, 1), {4, 0, 4}, 100),
      peaks_case("random", normal({1, 17, 70}, 2), {1, 0.5, 0}, 20),
      peaks_case("all open", normal({1, 91, 133}, 5), {4, -10, 0}, 1000),
      peaks_case("radius beyond the map", normal({1, 9, 9}, 3), {12, -10, 0}, 2),
      peaks_case("radius beyond the halo", normal({1, 47, 70}, 3), {17, -10, 2}, 9),
      peaks_case("no suppression", normal({2, 9, 13}, 3), {0, 0, 0}, 300),
      peaks_case("no suppression", normal({1, 41, 65}, 3), {0, -10, 1}, 2600),
      peaks_case("ties", map_with_ties({2, 23, 37}, 4), {2, 0, 0}, 80),
      peaks_case("ties", map_with_ties({2, 23, 37}, 4), {2, -3, 1}, 7),
      peaks_case("equal", Tensor::full({1, 50, 80}, 1, DType::f64), {3, 0, 0}, 300),
      peaks_case("refined", uniform({2, 41, 69}, 1, 0.01, 1), {2, 0, 0, Refinement::quadratic},
                 400),
      peaks_case("refined", uniform({2, 41, 69}, 1, 0.01, 1), {2, 0, 0, Refinement::soft_argmax},
                 400),
      peaks_case("refined", uniform({1, 1, 1}, 1, 0.01, 1), {1, 0, 0, Refinement::quadratic}, 1),
      peaks_case("refined", uniform({1, 1, 1}, 1, 0.01, 1), {1, 0, 0, Refinement::soft_argmax}, 1),
      peaks_case("ramp", ramp_map({1, 5, 150}), {1, 0, 0}, 300)},
     Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
