#include "kernels/loss/descriptor_double_norm.h"

#include <span>

#include "kernels/column_sums.h"
#include "kernels/dot.h"
#include "kernels/loss/descriptor_strips.h"

namespace cairn::cpu {
namespace {

template <class T>
T positive(T d) {
  return d > 0 ? d : T(0);
}

// c G_Q of a pair that does not match.
template <class T>
T unmatched(T t, T margin, T weight, T k) {
  return (t > margin ? weight : T(0)) - t * k;
}

// One row of D into max(0, D), and its length, guarded.
template <class T>
T rectified_length(T* d, int64_t n) {
  for (int64_t b = 0; b < n; ++b) d[b] = positive(d[b]);
  return T(std::max(std::sqrt(dot(d, d, n)), least_double_norm));
}

// What is per cell of the partner, and the same for every row.
template <class T>
struct Columns {
  std::vector<T> inverse_c, weight;  // 1 / c and factor w, [N, n]
  const T *r, *k;                    // norms, [N, n]

  Columns(const DescriptorStrips<T>& strips, const DoubleNorms& norms)
      : inverse_c(norms.c.values<T>()),
        weight(strips.weights),
        r(norms.r.data<T>()),
        k(norms.k.data<T>()) {
    const T factor = norms.factor.data<T>()[0];
    for (T& c : inverse_c) c = 1 / c;
    for (T& w : weight) w *= factor;
  }
};

// r and c: the rows of a strip are whole, the columns add up over all of a pair.
template <class T>
void measure(const DescriptorStrips<T>& strips, DoubleNorms& norms) {
  const int64_t n = strips.n;
  T *r = norms.r.data<T>(), *c = norms.c.data<T>();
  std::vector<double> squares(strips.N * strips.parts * n);
  strips.each([&](const Strip<T>& s) {
    T* length = r + s.pair * n + s.first;
    for (const Match<T>& m : s.matches) s.d[m.row * n + m.b] = m.d;
    for (int64_t row = 0; row < s.rows; ++row) length[row] = rectified_length(s.d + row * n, n);
    std::vector<double> sums(n);
    sum_rows<1, T>(0, s.rows, n, sums.data(),
                   [&](int64_t row, int64_t b, int64_t count, auto& acc) {
                     const T *d = s.d + row * n + b, scale = 1 / length[row];
                     for (int64_t i = 0; i < count; ++i) acc[0][i] += d[i] * scale * (d[i] * scale);
                   });
    double* to = &squares[(s.pair * strips.parts + s.part) * n];
    for (int64_t b = 0; b < n; ++b) to[b] += sums[b];
  });
  for (int64_t pair = 0; pair < strips.N; ++pair)
    for (int64_t b = 0; b < n; ++b) {
      double sum = 0;
      for (int64_t p = 0; p < strips.parts; ++p) sum += squares[(pair * strips.parts + p) * n + b];
      c[pair * n + b] = T(std::max(std::sqrt(sum), least_double_norm));
    }
}

// The terms, and k part by part.
template <class T>
void judge(const DescriptorStrips<T>& strips, const HingeOptions& o, const Columns<T>& columns,
           PairTerms<T>& found, std::vector<double>& k) {
  const int64_t n = strips.n;
  const T margin = T(o.negative_margin);
  strips.each([&](const Strip<T>& s) {
    PairTotals& totals = found.of(s);
    const T *w = &strips.weights[s.pair * n], *inverse_c = &columns.inverse_c[s.pair * n],
            *r = columns.r + s.pair * n + s.first;
    std::vector<double> sums(2 * n);  // of the hinge and of T where it is active
    sum_rows<2, T>(0, s.rows, n, sums.data(),
                   [&](int64_t row, int64_t b, int64_t count, auto& acc) {
                     const T *d = s.d + row * n + b, *ic = inverse_c + b, inverse_r = 1 / r[row];
                     for (int64_t i = 0; i < count; ++i) {
                       const T t = positive(d[i]) * inverse_r * ic[i];
                       acc[0][i] += t > margin ? t - margin : T(0);
                       acc[1][i] += t > margin ? t : T(0);
                     }
                   });
    double* to = &k[(s.pair * strips.parts + s.part) * n];
    for (int64_t b = 0; b < n; ++b) {
      totals.negative += double(w[b]) * sums[b];
      to[b] += double(w[b]) * sums[n + b];
    }
    for (const Match<T>& m : s.matches) {
      const double t = double(positive(m.d) / r[m.row] * inverse_c[m.b]);
      const double short_of = o.positive_margin - t;
      if (short_of <= 0) continue;
      totals.positive += double(w[m.b]) * o.positive_weight * short_of;
      to[m.b] -= double(w[m.b]) * o.positive_weight * t;
    }
    found.add_cosines(s);
  });
}

}  // namespace

void descriptor_double_norm(const DescriptorPairs& pairs, const HingeOptions& o, DoubleNorms& norms,
                            Tensor& terms, Tensor& loss) {
  with_float(loss.dtype(), [&](auto type) {
    using T = decltype(type);
    const DescriptorStrips<T> strips(pairs, o.radius);
    PairTerms<T> found(strips, o);
    norms.factor.data<T>()[0] = T(found.factor());
    measure(strips, norms);
    const int64_t n = strips.n, parts = strips.parts;
    std::vector<double> sums(strips.N * parts * n);
    judge(strips, o, Columns<T>(strips, norms), found, sums);
    for (int64_t i = 0; i < strips.N * n; ++i) {
      double sum = 0;
      for (int64_t p = 0; p < parts; ++p) sum += sums[(i / n * parts + p) * n + i % n];
      const bool constant = norms.c.data<T>()[i] <= T(least_double_norm);
      norms.k.data<T>()[i] = constant ? T(0) : T(found.factor() * sum);
    }
    found.write(terms, loss);
  });
}

namespace {

// A row of D becomes one of G_D. `matches` are the row's own.
template <class T>
void backward_row(std::span<const Match<T>> matches, const HingeOptions& o, T r, const T* inverse_c,
                  const T* weight, const T* k, T upstream, int64_t n, T* d) {
  const T inverse_r = 1 / r, margin = T(o.negative_margin);
  // T and c G_Q of a match; of all others they are in the loops.
  const auto match_t = [&](const Match<T>& m) {
    return positive(m.d) * inverse_r * inverse_c[m.b];
  };
  const auto match_u = [&](const Match<T>& m, T t) {
    return (t < T(o.positive_margin) ? -T(o.positive_weight) * weight[m.b] : T(0)) - t * k[m.b];
  };
  T along = 0;  // sum of G_Q Q
  if (r > T(least_double_norm)) {
    T sums[16] = {};
    int64_t b = 0;
    for (; b + 16 <= n; b += 16)
      for (int lane = 0; lane < 16; ++lane) {
        const T t = positive(d[b + lane]) * inverse_r * inverse_c[b + lane];
        sums[lane] += unmatched(t, margin, weight[b + lane], k[b + lane]) * t;
      }
    for (; b < n; ++b) {
      const T t = positive(d[b]) * inverse_r * inverse_c[b];
      sums[0] += unmatched(t, margin, weight[b], k[b]) * t;
    }
    along = std::accumulate(sums, sums + 16, T(0));
    for (const Match<T>& m : matches) along += match_u(m, match_t(m)) * match_t(m);
  }
  for (int64_t b = 0; b < n; ++b) {
    const T q = positive(d[b]) * inverse_r, t = q * inverse_c[b];
    const T u = unmatched(t, margin, weight[b], k[b]);
    d[b] = d[b] > 0 ? (u * inverse_c[b] - q * along) * inverse_r * upstream : T(0);
  }
  for (const Match<T>& m : matches) {
    const T u = match_u(m, match_t(m));
    d[m.b] = m.d > 0 ? (u * inverse_c[m.b] - m.d * inverse_r * along) * inverse_r * upstream : T(0);
  }
}

}  // namespace

void descriptor_double_norm_backward(const DescriptorPairs& pairs, const HingeOptions& o,
                                     const DoubleNorms& norms, const Tensor& dloss, Tensor& da,
                                     Tensor& db) {
  with_float(da.dtype(), [&](auto type) {
    using T = decltype(type);
    const DescriptorStrips<T> strips(pairs, o.radius);
    const Columns<T> columns(strips, norms);
    DescriptorGradients<T> gradients(pairs, da, db);
    const T upstream = dloss.data<T>()[0];
    strips.each([&](const Strip<T>& s) {
      const int64_t n = strips.n, at = s.pair * n;
      auto match = s.matches.begin();
      for (int64_t row = 0; row < s.rows; ++row) {
        const auto first = match;
        while (match != s.matches.end() && match->row == row) ++match;
        backward_row<T>({first, match}, o, columns.r[at + s.first + row], &columns.inverse_c[at],
                        &columns.weight[at], columns.k + at, upstream, n, s.d + row * n);
      }
      gradients.add(s);
    });
    gradients.finish();
  });
}

}  // namespace cairn::cpu
