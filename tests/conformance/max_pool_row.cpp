// max_pool: the largest value of every window, and where it was.
#include "kernels/pool/max_pool.h"

#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Tensors formula_of(const Tensor& x, const MaxPoolOptions& o) {
  const int64_t H = x.dim(1), W = x.dim(2), C = x.dim(3);
  const int64_t Ho = (H + 2 * o.padding - o.size) / o.stride + 1;
  const int64_t Wo = (W + 2 * o.padding - o.size) / o.stride + 1;
  Tensor y = zeros64({x.dim(0), Ho, Wo, C});
  Tensor index = Tensor::zeros(y.shape(), DType::u8);
  for (int64_t at = 0; at < y.count(); ++at) {
    const int64_t c = at % C, j = at / C % Wo, i = at / C / Wo % Ho, n = at / C / Wo / Ho;
    double best = -INFINITY;
    bool found = false;
    for (int64_t t = 0; t < o.size * o.size; ++t) {
      const int64_t r = i * o.stride - o.padding + t / o.size;
      const int64_t q = j * o.stride - o.padding + t % o.size;
      if (r < 0 || r >= H || q < 0 || q >= W) continue;
      const double v = in(x)[((n * H + r) * W + q) * C + c];
      if (found && !(v > best) && !std::isnan(v)) continue;
      best = v;
      found = true;
      index.data<uint8_t>()[at] = uint8_t(t);
    }
    y.data<double>()[at] = best;
  }
  return {y, index};
}

Case with_input(const Tensor& x, const MaxPoolOptions& o) {
  Case c;
  c.label = text("x=", x.shape(), " size=", o.size, " stride=", o.stride, " padding=", o.padding);
  c.inputs = {x};
  c.bf16_tolerance = 0x1p-8;  // y is one of x; the sums of dy are rounded by 2^-9
  c.formula = [o](const Tensors& in64) { return formula_of(in64[0], o); };
  c.forward = [o](const Tensors& in) {
    const Tensor& from = in[0];
    Tensor y = from.empty_like({from.dim(0), max_pool_output_size(from.dim(1), o),
                                max_pool_output_size(from.dim(2), o), from.dim(3)});
    Tensor index = Tensor::empty(y.shape(), DType::u8, y.device());
    max_pool(from, o, y, &index);
    return Tensors{y, index};
  };
  c.backward = [o](const Tensors& in, const Tensors& out, const Tensors& dy) {
    Tensor dx = in[0].empty_like();
    max_pool_backward(dy[0], out[1], o, dx);
    return Tensors{dx};
  };
  return c;
}

Case drawn(const Shape& shape, const MaxPoolOptions& o) { return with_input(normal(shape, 1), o); }

Case with_ties(const Shape& shape, const MaxPoolOptions& o) {
  Case c = with_input(whole(shape, 1, -1, 1), o);
  c.label += " ties";
  c.differences = false;
  return c;
}

Case without_index(const Shape& shape, const MaxPoolOptions& o) {
  Case c = drawn(shape, o);
  c.label += " no index";
  c.formula = [o](const Tensors& in64) { return Tensors{formula_of(in64[0], o)[0]}; };
  c.forward = [o, both = c.forward](const Tensors& in) {
    Tensor y = both(in)[0].empty_like();
    max_pool(in[0], o, y, nullptr);
    return Tensors{y};
  };
  c.backward = nullptr;
  return c;
}

Case with_extremes() {
  Tensor x = normal({1, 4, 6, 5}, 1);
  x.data<double>()[7] = x.data<double>()[93] = NAN;
  x.data<double>()[18] = -INFINITY;
  x.data<double>()[60] = INFINITY;
  for (int64_t i = 20; i < 30; ++i) x.data<double>()[i] = -INFINITY;
  Case c = with_input(x, {2, 2, 0});
  c.label += " NaN and infinities";
  c.backward = nullptr;
  return c;
}

const bool added =
    add_row({"max_pool",
             {drawn({1, 2, 2, 1}, {2, 2, 0}), drawn({0, 4, 4, 8}, {2, 2, 0}),
              drawn({2, 7, 5, 3}, {2, 2, 0}), drawn({2, 10, 14, 16}, {2, 2, 0}),
              drawn({1, 33, 65, 12}, {2, 2, 0}), drawn({1, 9, 11, 20}, {3, 2, 1}),
              drawn({2, 9, 8, 5}, {3, 1, 1}), drawn({1, 12, 13, 4}, {5, 3, 2}),
              drawn({1, 13, 9, 3}, {2, 3, 0}), drawn({1, 20, 18, 2}, {16, 1, 8}),
              drawn({1, 1, 1, 7}, {1, 1, 0}), with_ties({2, 9, 11, 8}, {3, 2, 1}),
              with_ties({2, 8, 8, 33}, {2, 2, 0}), without_index({2, 12, 10, 8}, {2, 2, 0}),
              without_index({1, 9, 11, 5}, {3, 1, 1}), with_extremes()}});

}  // namespace
}  // namespace cairn::conformance
