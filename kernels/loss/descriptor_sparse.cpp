#include "kernels/loss/descriptor_sparse.h"

#include <algorithm>

#include "kernels/loss/cell_weights.h"
#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

// The product in the type of the descriptors: 16 sums that vectorise.
template <class T>
T product(const T* a, const T* b, int64_t C) {
  T sums[16] = {};
  int64_t c = 0;
  for (; c + 16 <= C; c += 16)
    for (int lane = 0; lane < 16; ++lane) sums[lane] += a[c + lane] * b[c + lane];
  for (int lane = 0; c < C; ++c, ++lane) sums[lane] += a[c] * b[c];
  for (int half = 8; half > 0; half /= 2)
    for (int lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  return sums[0];
}

template <class T>
void add_scaled(const T* x, T factor, int64_t C, T* y) {
  for (int64_t c = 0; c < C; ++c) y[c] += factor * x[c];
}

// What a cell, a pair or all of them add.
struct SparseTotals {
  double positive = 0, negative = 0, cosines = 0, drawn = 0, active_negatives = 0, hardest = 0,
         hardest_cells = 0;
};

// The pairs with plain pointers.
template <class T>
struct Pairs {
  int64_t N, n, C, M;
  int width;
  const T *a, *b;
  const int32_t *matches, *offsets;
  std::vector<T> weights;

  explicit Pairs(const SparsePairs& p)
      : N(p.a.dim(0)),
        n(p.a.dim(1) * p.a.dim(2)),
        C(p.a.dim(3)),
        M(p.offsets.dim(1)),
        width(int(p.a.dim(2))),
        a(p.a.data<T>()),
        b(p.b.data<T>()),
        matches(p.matches.data<int32_t>()),
        offsets(p.offsets.data<int32_t>()),
        weights(cell_weights<T>(&p.valid, N * n)) {}
};

// The hinges of cell `cell` of all pairs, which is drawn.
template <class T>
SparseTotals cell_totals(const Pairs<T>& p, const SparseOptions& o, int64_t cell, uint8_t* active) {
  const int64_t pair = cell / p.n, first = pair * p.n;
  const int match = p.matches[cell];
  const T* own = p.a + cell * p.C;
  SparseTotals t;
  t.drawn = 1;
  t.cosines = product(own, p.b + (first + match) * p.C, p.C);
  t.positive = std::max(0.0, o.positive_margin - t.cosines);
  active[p.M] = t.positive > 0;
  for (int64_t m = 0; m < p.M; ++m) {
    const int64_t b = (cell - first + p.offsets[pair * p.M + m]) % p.n;
    active[m] = 0;
    if (!(p.weights[first + b] > 0) || adjacent_cells(int(b), match, p.width)) continue;
    const double d = product(own, p.b + (first + b) * p.C, p.C);
    t.hardest = t.hardest_cells == 0 ? d : std::max(t.hardest, d);
    t.hardest_cells = 1;
    active[m] = d > o.negative_margin;
    t.negative += std::max(0.0, d - o.negative_margin);
    t.active_negatives += active[m];
  }
  return t;
}

}  // namespace

void descriptor_sparse(const SparsePairs& pairs, const SparseOptions& o, Tensor& active,
                       Tensor& counts, Tensor& terms, Tensor& loss) {
  with_float(loss.dtype(), [&](auto type) {
    using T = decltype(type);
    const Pairs<T> p(pairs);
    std::vector<SparseTotals> cells(p.N * p.n);
    uint8_t* flags = active.data<uint8_t>();
    parallel_for(p.N * p.n, 16, [&](int64_t begin, int64_t end) {
      for (int64_t cell = begin; cell < end; ++cell) {
        uint8_t* own = flags + cell * (p.M + 1);
        if (p.matches[cell] < 0)
          std::fill_n(own, p.M + 1, uint8_t(0));
        else
          cells[cell] = cell_totals(p, o, cell, own);
      }
    });
    SparseTotals all;
    for (int64_t pair = 0; pair < p.N; ++pair) {
      SparseTotals sum;
      for (int64_t cell = pair * p.n; cell < (pair + 1) * p.n; ++cell) {
        sum.positive += cells[cell].positive;
        sum.negative += cells[cell].negative;
        sum.drawn += cells[cell].drawn;
        sum.active_negatives += cells[cell].active_negatives;
        all.cosines += cells[cell].cosines;
        all.hardest += cells[cell].hardest;
        all.hardest_cells += cells[cell].hardest_cells;
      }
      counts.data<T>()[2 * pair] = T(sum.drawn);
      counts.data<T>()[2 * pair + 1] = T(sum.active_negatives);
      all.drawn += sum.drawn;
      if (sum.drawn > 0) all.positive += o.positive_weight * sum.positive / sum.drawn;
      all.negative += sum.negative / (sum.active_negatives + 1);
    }
    const double factor = p.N == 0 ? 0 : o.weight / double(p.N);
    T* to = terms.data<T>();
    to[0] = T(factor * all.positive);
    to[1] = T(factor * all.negative);
    to[2] = T(all.drawn == 0 ? 0 : all.cosines / all.drawn);
    to[3] = T(all.hardest_cells == 0 ? 0 : all.hardest / all.hardest_cells);
    loss.data<T>()[0] = T(factor * (all.positive + all.negative));
  });
}

void descriptor_sparse_backward(const SparsePairs& pairs, const SparseOptions& o,
                                const Tensor& active, const Tensor& counts, const Tensor& dloss,
                                Tensor& da, Tensor& db) {
  with_float(da.dtype(), [&](auto type) {
    using T = decltype(type);
    const Pairs<T> p(pairs);
    const uint8_t* flags = active.data<uint8_t>();
    const T* count = counts.data<T>();
    const double upstream =
        double(dloss.data<T>()[0]) * o.weight / double(std::max<int64_t>(p.N, 1));
    // The cells of an image that a cell of the partner is the match of: chains of rising numbers.
    std::vector<int64_t> first_source(p.N * p.n, -1), next_source(p.N * p.n, -1);
    for (int64_t cell = p.N * p.n - 1; cell >= 0; --cell)
      if (p.matches[cell] >= 0) {
        int64_t& head = first_source[cell / p.n * p.n + p.matches[cell]];
        next_source[cell] = head;
        head = cell;
      }
    parallel_for(p.N * p.n, 16, [&](int64_t begin, int64_t end) {
      for (int64_t cell = begin; cell < end; ++cell) {
        const int64_t pair = cell / p.n, first = pair * p.n, stride = p.M + 1;
        const T positive =
                    T(-upstream * o.positive_weight / std::max(1.0, double(count[2 * pair]))),
                negative = T(upstream / (double(count[2 * pair + 1]) + 1));
        T *to_a = da.data<T>() + cell * p.C, *to_b = db.data<T>() + cell * p.C;
        std::fill_n(to_a, p.C, T(0));
        std::fill_n(to_b, p.C, T(0));
        if (flags[cell * stride + p.M])
          add_scaled(p.b + (first + p.matches[cell]) * p.C, positive, p.C, to_a);
        for (int64_t a = first_source[cell]; a >= 0; a = next_source[a])
          if (flags[a * stride + p.M]) add_scaled(p.a + a * p.C, positive, p.C, to_b);
        for (int64_t m = 0; m < p.M; ++m) {
          const int64_t offset = p.offsets[pair * p.M + m], at = cell - first;
          const int64_t b = first + (at + offset) % p.n, a = first + (at - offset + p.n) % p.n;
          if (flags[cell * stride + m]) add_scaled(p.b + b * p.C, negative, p.C, to_a);
          if (flags[a * stride + m]) add_scaled(p.a + a * p.C, negative, p.C, to_b);
        }
      }
    });
  });
}

}  // namespace cairn::cpu
