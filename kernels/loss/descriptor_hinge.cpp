#include "kernels/loss/descriptor_hinge.h"

#include "kernels/column_sums.h"
#include "kernels/loss/descriptor_strips.h"

namespace cairn::cpu {

void descriptor_hinge(const DescriptorPairs& pairs, const HingeOptions& o, Tensor& factor,
                      Tensor& terms, Tensor& loss) {
  with_float(loss.dtype(), [&](auto type) {
    using T = decltype(type);
    const DescriptorStrips<T> strips(pairs, o.radius);
    PairTerms<T> found(strips, o);
    strips.each([&](const Strip<T>& s) {
      PairTotals& totals = found.of(s);
      const int64_t n = strips.n;
      const T *w = &strips.weights[s.pair * n], margin = T(o.negative_margin);
      std::vector<double> negative(n);
      sum_rows<1, T>(0, s.rows, n, negative.data(),
                     [&](int64_t r, int64_t c, int64_t count, auto& acc) {
                       const T* d = s.d + r * n + c;
                       for (int64_t i = 0; i < count; ++i)
                         acc[0][i] += d[i] > margin ? d[i] - margin : T(0);
                     });
      for (int64_t b = 0; b < n; ++b) totals.negative += double(w[b]) * negative[b];
      for (const Match<T>& m : s.matches)
        totals.positive +=
            double(w[m.b]) * o.positive_weight * std::max(0.0, o.positive_margin - double(m.d));
      found.add_cosines(s);
    });
    factor.data<T>()[0] = T(found.factor());
    found.write(terms, loss);
  });
}

void descriptor_hinge_backward(const DescriptorPairs& pairs, const HingeOptions& o,
                               const Tensor& factor, const Tensor& dloss, Tensor& da, Tensor& db) {
  with_float(da.dtype(), [&](auto type) {
    using T = decltype(type);
    const DescriptorStrips<T> strips(pairs, o.radius);
    DescriptorGradients<T> gradients(pairs, da, db);
    const T upstream = dloss.data<T>()[0] * factor.data<T>()[0];
    strips.each([&](const Strip<T>& s) {
      const int64_t n = strips.n;
      const T *w = &strips.weights[s.pair * n], margin = T(o.negative_margin);
      for (int64_t r = 0; r < s.rows; ++r) {
        T* d = s.d + r * n;
        for (int64_t b = 0; b < n; ++b) d[b] = d[b] > margin ? upstream * w[b] : T(0);
      }
      for (const Match<T>& m : s.matches)
        if (m.d < T(o.positive_margin))
          s.d[m.row * n + m.b] = -upstream * w[m.b] * T(o.positive_weight);
      gradients.add(s);
    });
    gradients.finish();
  });
}

}  // namespace cairn::cpu
