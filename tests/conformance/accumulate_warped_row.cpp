// accumulate_warped: maps brought back through homographies and put together.
#include "kernels/warp/accumulate_warped.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

struct Sizes {
  int64_t B, h, w, H, W;
};

double trusted(const Tensors& t, const Sizes& s, int64_t b, double v, double u) {
  if (v < 0 || u < 0 || v >= double(s.h) || u >= double(s.w)) return 0;
  const int32_t* span = t[2].data<int32_t>() + 2 * (b * s.h + int64_t(v));
  return u >= span[0] && u < span[1] ? in(t[0])[(b * s.h + int64_t(v)) * s.w + int64_t(u)] : 0;
}

double sample(const Tensors& t, const Sizes& s, int64_t b, double column, double row) {
  const double* m = in(t[1]) + 9 * b;
  const double w = m[6] * column + m[7] * row + m[8];
  if (std::abs(w) < 1e-6) return 0;
  const double x = (m[0] * column + m[1] * row + m[2]) / w;
  const double y = (m[3] * column + m[4] * row + m[5]) / w;
  const double u = std::floor(x), v = std::floor(y), p = x - u, q = y - v;
  return (1 - q) * ((1 - p) * trusted(t, s, b, v, u) + p * trusted(t, s, b, v, u + 1)) +
         q * ((1 - p) * trusted(t, s, b, v + 1, u) + p * trusted(t, s, b, v + 1, u + 1));
}

Tensors formula(const Tensors& t, const Sizes& s, const AccumulateOptions& o) {
  Tensor total = zeros64({s.H, s.W}), result = zeros64({s.H, s.W});
  Tensor count = Tensor::zeros({s.H, s.W}, DType::i32);
  for (int64_t i = 0; i < s.H * s.W; ++i) {
    const int64_t row = i / s.W, column = i % s.W;
    double& sum = total.data<double>()[i];
    int32_t& n = count.data<int32_t>()[i];
    for (int64_t b = 0; b < s.B; ++b) {
      const int32_t* span = t[3].data<int32_t>() + 2 * (b * s.H + row);
      if (column < span[0] || column >= span[1]) continue;
      const double v = sample(t, s, b, double(column), double(row));
      sum = o.aggregation == Aggregation::sum ? sum + v : std::max(sum, v);
      ++n;
    }
    if (n > 0 && n >= o.least_count)
      result.data<double>()[i] = o.aggregation == Aggregation::sum ? sum / n : sum;
  }
  return {total, count, result};
}

// Runs of columns: many whole rows, some empty, some short.
Tensor spans(int64_t B, int64_t rows, int64_t columns, uint64_t seed) {
  Tensor s = indices({B, rows, 2}, seed, 0, int(columns));
  int32_t* v = s.data<int32_t>();
  for (int64_t i = 0; i < B * rows; ++i) {
    if (i % 3 == 0) v[2 * i] = 0, v[2 * i + 1] = int32_t(columns);
    if (v[2 * i] > v[2 * i + 1]) v[2 * i] = v[2 * i + 1] = 0;
  }
  return s;
}

// Not far from the identity; the first one is it.
Tensor homographies(int64_t B) {
  Tensor m = uniform({B, 3, 3}, 4, -1, 1);
  const double scale[] = {.2, .2, 3, .2, .2, 3, .005, .005, 0};
  for (int64_t i = 0; i < m.count(); ++i) {
    double& e = m.data<double>()[i];
    e = float((i < 9 ? 0 : scale[i % 9]) * e + (i % 9 % 4 == 0));
  }
  return m;
}

Case case_of(const Sizes& s, const AccumulateOptions& o) {
  Case c;
  c.label = text("maps=[", s.B, ",", s.h, ",", s.w, "] result=", s.H, "x", s.W,
                 o.aggregation == Aggregation::sum ? " sum" : " max", " least ", o.least_count);
  c.inputs = {uniform({s.B, s.h, s.w}, 1, 0, 1), homographies(s.B), spans(s.B, s.h, s.w, 2),
              spans(s.B, s.H, s.W, 3)};
  c.tolerance = 5e-5;  // float32 positions, on maps of noise
  c.formula = [=](const Tensors& t) { return formula(t, s, o); };
  c.forward = [=](const Tensors& t) {
    const Device device = t[0].device();
    Tensor total = Tensor::zeros({s.H, s.W}, DType::f64, device);
    Tensor count = Tensor::zeros({s.H, s.W}, DType::i32, device);
    Tensor result = t[0].empty_like({s.H, s.W});
    const int64_t middle = s.B / 2;  // two batches give what one gives
    for (const auto& [begin, end] : {std::pair{int64_t{0}, middle}, std::pair{middle, s.B}})
      accumulate_warped(t[0].rows(begin, end), t[1].rows(begin, end), t[2].rows(begin, end),
                        t[3].rows(begin, end), o, total, count, result);
    return Tensors{total, count, result};
  };
  return c;
}

constexpr AccumulateOptions mean{}, mean_of_3{Aggregation::sum, 3}, largest{Aggregation::max, 0},
    largest_of_2{Aggregation::max, 2};

const bool added =
    add_row({"accumulate_warped",
             {case_of({1, 1, 1, 1, 1}, mean), case_of({0, 4, 5, 4, 5}, mean),
              case_of({7, 12, 17, 12, 17}, mean), case_of({7, 12, 17, 12, 17}, mean_of_3),
              case_of({7, 12, 17, 9, 21}, largest), case_of({5, 12, 17, 14, 19}, largest_of_2),
              case_of({4, 60, 81, 60, 81}, mean)},
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
