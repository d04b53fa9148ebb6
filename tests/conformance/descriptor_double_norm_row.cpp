// descriptor_double_norm: the hinge of products that are normalised along rows, then along columns.
#include "kernels/loss/descriptor_double_norm.h"

#include "tests/conformance/descriptor_cases.h"

namespace cairn::conformance {
namespace {

// T [N,n,n] of the products.
std::vector<double> normalised(const Tensors& x) {
  const int64_t N = x[0].dim(0), n = x[0].dim(1) * x[0].dim(2);
  std::vector<double> t = products(x);
  const auto normalise = [&](int64_t first, int64_t step) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += t[first + i * step] * t[first + i * step];
    for (int64_t i = 0; i < n; ++i) t[first + i * step] /= std::max(std::sqrt(sum), 1e-6);
  };
  for (double& v : t) v = std::max(v, 0.0);
  for (int64_t row = 0; row < N * n; ++row) normalise(row * n, 1);
  for (int64_t i = 0; i < N * n; ++i) normalise(i / n * n * n + i % n, n);
  return t;
}

struct Result {
  DoubleNorms norms;
  Tensor terms, loss;
};

Result run(const Tensors& x, const HingeOptions& o) {
  const Shape cells{x[0].dim(0), x[0].dim(1), x[0].dim(2)};
  Result r{{x[0].empty_like(Shape{1}), x[0].empty_like(cells), x[0].empty_like(cells),
            x[0].empty_like(cells)},
           x[0].empty_like({4}),
           x[0].empty_like(Shape{})};
  descriptor_double_norm(pairs_of(x), o, r.norms, r.terms, r.loss);
  return r;
}

std::vector<Case> double_norm(const char* what, const Tensors& inputs, const HingeOptions& o,
                              double tolerance = 4e-6) {
  return loss_and_terms(
      text("a=", inputs[0].shape(), " ", what), inputs, tolerance,
      [=](const Tensors& x) { return judged(x, o, normalised(x)); },
      [=](const Tensors& x, Tensor& terms, Tensor& loss) {
        const Result r = run(x, o);
        terms.copy_from(r.terms);
        loss.copy_from(r.loss);
      },
      [=](const Tensors& x, const Tensor& dloss) {
        const Result r = run(x, o);
        Tensor da = x[0].empty_like(), db = x[1].empty_like();
        descriptor_double_norm_backward(pairs_of(x), o, r.norms, dloss, da, db);
        return Tensors{da, db};
      });
}

HingeOptions options(double positive_margin = 1) {
  HingeOptions o;
  o.weight = 100;
  o.positive_weight = 0.5;
  o.positive_margin = positive_margin;
  return o;
}

// The first image's first cell has no product above 0, the partner's last one neither: their
// lengths are the constant, and nothing flows through it.
std::vector<Case> without_length() {
  Tensors x = drawn_pairs(1, 3, 3, 4, false);
  for (int k : {0, 1}) {
    double* p = x[k].data<double>();
    for (int64_t i = 0; i < x[k].count(); ++i) p[i] = std::abs(p[i]);
  }
  for (int64_t c = 0; c < 4; ++c) {
    x[0].data<double>()[c] *= -1;
    x[1].data<double>()[8 * 4 + c] *= -1;
  }
  return double_norm("a row and a column without length", x, options());
}

Tensors none_valid() {
  Tensors x = drawn_pairs(1, 3, 4, 8);
  x[3].zero();
  return x;
}

const bool added =
    add_row({"descriptor_double_norm",
             joined({double_norm("one cell", drawn_pairs(1, 1, 1, 4, false), options(2)),
                     double_norm("no pair", drawn_pairs(0, 3, 4, 8), options()),
                     double_norm("odd", drawn_pairs(2, 7, 5, 3), options()),
                     double_norm("margin", drawn_pairs(1, 5, 13, 33), options(0.5)),
                     double_norm("all valid", drawn_pairs(2, 9, 10, 256, false), options()),
                     double_norm("none valid", none_valid(), options()), without_length(),
                     double_norm("parts", drawn_pairs(1, 15, 20, 64), options())}),
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
