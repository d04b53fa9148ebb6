#pragma once
// The n x n products of the descriptor losses on cpu, one strip of rows after the other, so that a
// strip is used while it is in the cache and none is kept. Their counterpart for kernels is
// kernels/loss/descriptor_tiles.cuh.
//
// The rows of a pair are cut into parts that depend on nothing but n; each part has sums of its
// own, and these are added in order. Parts of all pairs run side by side.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/gemm/product.h"
#include "kernels/loss/cell_weights.h"
#include "kernels/loss/descriptor_pairs.h"

namespace cairn::cpu {

/// A pair of cells that show the same place.
template <class T>
struct Match {
  int64_t row;  ///< of the strip
  int64_t b;
  T d;  ///< their product
};

/// Rows of D. Where cells match, `d` holds no_product and `matches` the product.
template <class T>
struct Strip {
  int64_t pair, part;
  int64_t first, rows;  ///< cells of a
  T* d;                 ///< [rows, n]
  std::vector<Match<T>> matches;
};

/// Below every product of unit vectors: counts neither as a match nor as anything else.
constexpr int no_product = -4;

/// What the terms are made of, before the factor.
struct PairTotals {
  double positive = 0, negative = 0, cosines = 0, matches = 0, hardest = 0, hardest_rows = 0;
};

/// Parts of a pair, none of them empty.
inline int64_t row_parts(int64_t n) { return std::clamp<int64_t>(n, 1, 4); }

template <class T>
class DescriptorStrips {
 public:
  DescriptorStrips(const DescriptorPairs& p, double radius)
      : N(p.a.dim(0)),
        h(p.a.dim(1)),
        w(p.a.dim(2)),
        n(h * w),
        C(p.a.dim(3)),
        parts(row_parts(n)),
        weights(cell_weights<T>(&p.valid, N * n)),
        a_(p.a.data<T>()),
        b_(p.b.data<T>()),
        centres_(p.centres.data<T>()),
        radius_(radius),
        channels_(C) {
    std::iota(channels_.begin(), channels_.end(), 0);
    for (int64_t pair = 0; pair < N; ++pair)
      transposed_.emplace_back(b_ + pair * n * C, channels_, C, n);
  }

  /// Calls f(strip) for all strips; those of one part come in order, on one thread.
  template <class F>
  void each(F&& f) const {
    parallel_for(n == 0 ? 0 : N * parts, 1, [&](int64_t begin, int64_t end) {
      Tensor memory = Tensor::empty({strip_rows() * n}, DTypeOf<T>::value);
      for (int64_t item = begin; item < end; ++item) {
        Strip<T> s{item / parts, item % parts, 0, 0, memory.data<T>(), {}};
        const int64_t last = n * (s.part + 1) / parts;
        for (s.first = n * s.part / parts; s.first < last; s.first += s.rows) {
          s.rows = std::min(strip_rows(), last - s.first);
          compute(s);
          f(s);
        }
      }
    });
  }

  const int64_t N, h, w, n, C, parts;
  const std::vector<T> weights;  ///< [N, n]

 private:
  // About four million bytes of floats: beyond the second cache, but long enough for products.
  int64_t strip_rows() const {
    return std::min(n, std::max<int64_t>((1 << 20) / n / tile_rows(), 1) * tile_rows());
  }

  void compute(Strip<T>& s) const {
    Block<T> block;
    block.M = s.rows;
    block.N = n;
    block.a = a_ + (s.pair * n + s.first) * C;
    block.a_row = C;
    block.c = s.d;
    block.c_row = n;
    tall_product(block, transposed_[s.pair]);
    s.matches.clear();
    for (int64_t row = 0; row < s.rows; ++row) find_matches(s, row);
  }

  void find_matches(Strip<T>& s, int64_t row) const {
    const T* centre = centres_ + (s.pair * n + s.first + row) * 2;
    const double u = centre[0], v = centre[1];
    if (!(std::abs(u) < 1e9 && std::abs(v) < 1e9)) return;  // at infinity
    const int64_t x0 = std::max<int64_t>(0, int64_t(std::ceil(u - radius_))),
                  x1 = std::min(w - 1, int64_t(std::floor(u + radius_))),
                  y0 = std::max<int64_t>(0, int64_t(std::ceil(v - radius_))),
                  y1 = std::min(h - 1, int64_t(std::floor(v + radius_)));
    for (int64_t y = y0; y <= y1; ++y)
      for (int64_t x = x0; x <= x1; ++x) {
        const double dx = u - double(x), dy = v - double(y);
        if (dx * dx + dy * dy > radius_ * radius_) continue;
        T& d = s.d[row * n + y * w + x];
        s.matches.push_back({row, y * w + x, d});
        d = T(no_product);
      }
  }

  const T *a_, *b_, *centres_;
  const double radius_;
  std::vector<int64_t> channels_;
  std::vector<Panels<T>> transposed_;  // b^T of each pair
};

/// da and db from strips of G.
template <class T>
class DescriptorGradients {
 public:
  DescriptorGradients(const DescriptorPairs& p, Tensor& da, Tensor& db)
      : N_(p.a.dim(0)),
        n_(p.a.dim(1) * p.a.dim(2)),
        C_(p.a.dim(3)),
        parts_(row_parts(n_)),
        a_(p.a.data<T>()),
        da_(da.data<T>()),
        db_(db.data<T>()),
        db_parts_(Tensor::empty({N_, parts_, n_, C_}, DTypeOf<T>::value)) {
    for (int64_t pair = 0; pair < N_; ++pair)
      b_.emplace_back(p.b.data<T>() + pair * n_ * C_, rows_of(n_), 1, C_);
  }

  /// Takes s.d as G: da = G b for its rows, db += G^T a.
  void add(const Strip<T>& s) {
    Block<T> block;
    block.M = s.rows;
    block.N = block.c_row = C_;
    block.a = s.d;
    block.a_row = n_;
    block.c = da_ + (s.pair * n_ + s.first) * C_;
    tall_product(block, b_[s.pair]);

    block.M = n_;
    block.a_row = 1;
    block.a_column = n_;
    block.c = db_parts_.template data<T>() + (s.pair * parts_ + s.part) * n_ * C_;
    block.accumulate = s.first != n_ * s.part / parts_;
    tall_product(block, Panels<T>(a_ + (s.pair * n_ + s.first) * C_, rows_of(s.rows), 1, C_));
  }

  /// db = the sum of the parts.
  void finish() {
    const T* from = db_parts_.template data<T>();
    const int64_t count = n_ * C_;
    parallel_for(N_ * count, 1 << 14, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* part = from + i / count * parts_ * count + i % count;
        T sum = part[0];
        for (int64_t p = 1; p < parts_; ++p) sum += part[p * count];
        db_[i] = sum;
      }
    });
  }

 private:
  std::vector<int64_t> rows_of(int64_t count) const {
    std::vector<int64_t> rows(count);
    for (int64_t k = 0; k < count; ++k) rows[k] = k * C_;
    return rows;
  }

  const int64_t N_, n_, C_, parts_;
  const T* a_;
  T *da_, *db_;
  std::vector<Panels<T>> b_;
  Tensor db_parts_;
};

/// The largest x[i] + y[i].
template <class T>
T largest_sum(const T* x, const T* y, int64_t count) {
  constexpr int lanes = 16;
  T top[lanes];
  std::fill_n(top, lanes, T(2 * no_product));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int lane = 0; lane < lanes; ++lane) {
      const T v = x[i + lane] + y[i + lane];
      top[lane] = v > top[lane] ? v : top[lane];
    }
  for (; i < count; ++i) top[0] = std::max(top[0], x[i] + y[i]);
  return *std::max_element(top, top + lanes);
}

/// The terms while strips go by, in one place per part.
template <class T>
class PairTerms {
 public:
  PairTerms(const DescriptorStrips<T>& strips, const HingeOptions& options)
      : strips_(strips), options_(options), totals_(strips.N * strips.parts) {
    for (T w : strips.weights) excluded_.push_back(w > 0 ? T(0) : T(no_product));
    valid_sum_ = std::accumulate(strips.weights.begin(), strips.weights.end(), 0.0);
  }

  double factor() const { return options_.factor(valid_sum_, strips_.n); }

  PairTotals& of(const Strip<T>& s) { return totals_[s.pair * strips_.parts + s.part]; }

  /// Adds the cosines of matches, and of each row that has one the hardest of the others.
  void add_cosines(const Strip<T>& s) {
    PairTotals& t = of(s);
    int64_t counted = -1;
    for (const Match<T>& m : s.matches) {
      const double w = strips_.weights[s.pair * strips_.n + m.b];
      t.cosines += w * double(m.d);
      t.matches += w;
      if (w == 0 || m.row == counted) continue;
      counted = m.row;
      const T top = largest_sum(s.d + m.row * strips_.n, &excluded_[s.pair * strips_.n], strips_.n);
      if (top < T(no_product) / 2) continue;  // nothing else is valid
      t.hardest += double(top);
      ++t.hardest_rows;
    }
  }

  void write(Tensor& terms, Tensor& loss) const {
    PairTotals sum;
    for (const PairTotals& t : totals_) {
      sum.positive += t.positive;
      sum.negative += t.negative;
      sum.cosines += t.cosines;
      sum.matches += t.matches;
      sum.hardest += t.hardest;
      sum.hardest_rows += t.hardest_rows;
    }
    T* to = terms.data<T>();
    to[0] = T(factor() * sum.positive);
    to[1] = T(factor() * sum.negative);
    to[2] = T(sum.matches == 0 ? 0 : sum.cosines / sum.matches);
    to[3] = T(sum.hardest_rows == 0 ? 0 : sum.hardest / sum.hardest_rows);
    loss.data<T>()[0] = T(factor() * (sum.positive + sum.negative));
  }

 private:
  const DescriptorStrips<T>& strips_;
  const HingeOptions& options_;
  std::vector<PairTotals> totals_;
  std::vector<T> excluded_;
  double valid_sum_;
};

}  // namespace cairn::cpu
