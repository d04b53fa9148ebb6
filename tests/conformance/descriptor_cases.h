#pragma once
// What the rows of the dense descriptor losses share: pairs of descriptor maps, and the formulas of
// kernels/loss/descriptor_pairs.h in float64.
#include <cmath>
#include <functional>

#include "kernels/loss/descriptor_pairs.h"
#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {

/// Inputs a, b, centres, valid of N pairs of h x w cells; `b` lies near to `a`, so that both hinges
/// are on both sides of their kinks. Cells lie all over the partner's grid and beyond.
inline Tensors drawn_pairs(int64_t N, int64_t h, int64_t w, int64_t C, bool mask = true) {
  const double length = 1 / std::sqrt(double(C));
  Tensor a = normal({N, h, w, C}, 1, length), b = normal({N, h, w, C}, 2, length);
  for (int64_t i = 0; i < b.count(); ++i)
    b.data<double>()[i] = float(0.6 * b.data<double>()[i] + 0.7 * a.data<double>()[i]);
  Tensor centres = normal({N, h, w, 2}, 3, 0.7);
  for (int64_t i = 0; i < N * h * w; ++i) {
    double* uv = centres.data<double>() + 2 * i;
    uv[0] = float(uv[0] + double(i % w));
    uv[1] = float(uv[1] + double(i / w % h));
  }
  const Tensor valid = mask ? indices({N, h, w}, 4, 0, 2) : indices({N, h, w}, 4, 1, 1);
  for (int64_t i = 0; mask && i < valid.count(); ++i)  // two of three
    const_cast<Tensor&>(valid).data<int32_t>()[i] = valid.data<int32_t>()[i] > 0;
  return {a, b, centres, valid.to(DType::u8)};
}

inline DescriptorPairs pairs_of(const Tensors& x) { return {x[0], x[1], x[2], x[3]}; }

/// D [N,n,n] of the inputs.
inline std::vector<double> products(const Tensors& x) {
  const int64_t n = x[0].dim(1) * x[0].dim(2), C = x[0].dim(3);
  std::vector<double> d(x[0].dim(0) * n * n);
  for (size_t i = 0; i < d.size(); ++i) {
    const int64_t pair = int64_t(i) / (n * n), a = int64_t(i) / n % n, b = int64_t(i) % n;
    for (int64_t c = 0; c < C; ++c)
      d[i] += in(x[0])[(pair * n + a) * C + c] * in(x[1])[(pair * n + b) * C + c];
  }
  return d;
}

inline bool matches(const Tensors& x, int64_t pair, int64_t a, int64_t b, double radius) {
  const int64_t w = x[0].dim(2), n = x[0].dim(1) * w;
  const double* uv = in(x[2]) + (pair * n + a) * 2;
  return std::hypot(uv[0] - double(b % w), uv[1] - double(b / w)) <= radius;
}

inline double weight_of(const Tensors& x, int64_t i) {
  return x[3].dtype() == DType::u8 ? double(x[3].data<uint8_t>()[i]) : in(x[3])[i];
}

/// The four terms, for the values T [N,n,n] that the hinge judges.
inline Tensor judged(const Tensors& x, const HingeOptions& o, const std::vector<double>& t) {
  const std::vector<double> d = products(x);
  const int64_t N = x[0].dim(0), n = x[0].dim(1) * x[0].dim(2);
  double positive = 0, negative = 0, cosines = 0, matched = 0, hardest = 0, rows = 0, valid = 0;
  for (int64_t i = 0; i < N * n; ++i) valid += weight_of(x, i);
  for (int64_t pair = 0; pair < N; ++pair)
    for (int64_t a = 0; a < n; ++a) {
      double top = -9, own = 0;
      for (int64_t b = 0; b < n; ++b) {
        const size_t i = size_t((pair * n + a) * n + b);
        const double w = weight_of(x, pair * n + b);
        if (matches(x, pair, a, b, o.radius)) {
          positive += w * o.positive_weight * std::max(0.0, o.positive_margin - t[i]);
          cosines += w * d[i];
          own += w;
        } else {
          negative += w * std::max(0.0, t[i] - o.negative_margin);
          if (w > 0) top = std::max(top, d[i]);
        }
      }
      matched += own;
      if (own > 0 && top > -9) {
        hardest += top;
        ++rows;
      }
    }
  const double count = o.reduction == PairReduction::sum      ? 1
                       : o.reduction == PairReduction::mean_n ? valid
                                                              : valid * double(n);
  const double factor = count == 0 ? 0 : o.weight / count;
  return Tensor::from<double>(
      {4}, {factor * positive, factor * negative, matched > 0 ? cosines / matched : 0,
            rows > 0 ? hardest / rows : 0});
}

/// A case of the terms, which have no gradient, and one of the loss, which does.
inline std::vector<Case> loss_and_terms(
    const std::string& label, const Tensors& inputs, double tolerance,
    const std::function<Tensor(const Tensors&)>& terms_formula,
    const std::function<void(const Tensors&, Tensor& terms, Tensor& loss)>& forward,
    const std::function<Tensors(const Tensors&, const Tensor& dloss)>& backward) {
  const auto run = [forward](const Tensors& x) {
    Tensor terms = x[0].empty_like({4}), loss = x[0].empty_like(Shape{});
    forward(x, terms, loss);
    return std::pair(terms, loss);
  };
  Case terms;
  terms.label = label + " terms";
  terms.inputs = inputs;
  terms.tolerance = tolerance;
  terms.formula = [=](const Tensors& x) { return Tensors{terms_formula(x)}; };
  terms.forward = [=](const Tensors& x) { return Tensors{run(x).first}; };
  Case loss = terms;
  loss.label = label + " loss";
  loss.gradient_tolerance = 5 * tolerance;
  loss.formula = [=](const Tensors& x) {
    const Tensor t = terms_formula(x);
    Tensor sum = zeros64(Shape{});
    sum.data<double>()[0] = in(t)[0] + in(t)[1];
    return Tensors{sum};
  };
  loss.forward = [=](const Tensors& x) { return Tensors{run(x).second}; };
  loss.backward = [=](const Tensors& x, const Tensors&, const Tensors& dout) {
    return backward(x, dout[0]);
  };
  return {terms, loss};
}

inline std::vector<Case> joined(const std::vector<std::vector<Case>>& lists) {
  std::vector<Case> all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

}  // namespace cairn::conformance
