// descriptor_sparse: some cells of an image, each against its match and a few others.
#include "kernels/loss/descriptor_sparse.h"

#include <cmath>

#include "tests/conformance/descriptor_cases.h"

namespace cairn::conformance {
namespace {

// Of a pair: the products of matches, and all that counts as a negative, cell by cell.
struct Looked {
  std::vector<double> matches;
  std::vector<std::vector<double>> negatives;
};

Looked look(const Tensors& x, int64_t pair) {
  const int64_t w = x[0].dim(2), n = x[0].dim(1) * w, C = x[0].dim(3), M = x[4].dim(1);
  const auto product = [&](int64_t a, int64_t b) {
    double sum = 0;
    for (int64_t c = 0; c < C; ++c)
      sum += in(x[0])[(pair * n + a) * C + c] * in(x[1])[(pair * n + b) * C + c];
    return sum;
  };
  Looked found;
  for (int64_t a = 0; a < n; ++a) {
    const int64_t match = x[3].data<int32_t>()[pair * n + a];
    if (match < 0) continue;
    found.matches.push_back(product(a, match));
    found.negatives.emplace_back();
    for (int64_t m = 0; m < M; ++m) {
      const int64_t b = (a + x[4].data<int32_t>()[pair * M + m]) % n;
      const bool near = std::abs(b / w - match / w) <= 1 && std::abs(b % w - match % w) <= 1;
      if (!near && x[2].data<uint8_t>()[pair * n + b] > 0)
        found.negatives.back().push_back(product(a, b));
    }
  }
  return found;
}

Tensor terms_of(const Tensors& x, const SparseOptions& o) {
  const int64_t N = x[0].dim(0);
  double positive = 0, negative = 0, cosines = 0, drawn = 0, hardest = 0, hardest_cells = 0;
  for (int64_t pair = 0; pair < N; ++pair) {
    const Looked found = look(x, pair);
    double near = 0, far = 0, above = 0;
    for (double d : found.matches) {
      near += std::max(0.0, o.positive_margin - d);
      cosines += d;
      ++drawn;
    }
    for (const auto& cell : found.negatives) {
      for (double d : cell) {
        far += std::max(0.0, d - o.negative_margin);
        above += d > o.negative_margin;
      }
      if (cell.empty()) continue;
      hardest += *std::max_element(cell.begin(), cell.end());
      ++hardest_cells;
    }
    if (!found.matches.empty()) positive += o.positive_weight * near / double(found.matches.size());
    negative += far / (above + 1);
  }
  const double factor = N == 0 ? 0 : o.weight / double(N);
  return Tensor::from<double>(
      {4}, {factor * positive, factor * negative, drawn > 0 ? cosines / drawn : 0,
            hardest_cells > 0 ? hardest / hardest_cells : 0});
}

struct Result {
  Tensor active, counts, terms, loss;
};

SparsePairs sparse_of(const Tensors& x) { return {x[0], x[1], x[2], x[3], x[4]}; }

Result run(const Tensors& x, const SparseOptions& o) {
  const int64_t N = x[0].dim(0), n = x[0].dim(1) * x[0].dim(2);
  Result r{Tensor::empty({N, n, x[4].dim(1) + 1}, DType::u8, x[0].device()),
           x[0].empty_like({N, 2}), x[0].empty_like({4}), x[0].empty_like(Shape{})};
  descriptor_sparse(sparse_of(x), o, r.active, r.counts, r.terms, r.loss);
  return r;
}

std::vector<Case> sparse(const char* what, int64_t N, int64_t h, int64_t w, int64_t C, int64_t M,
                         bool any = true) {
  const Tensors dense = drawn_pairs(N, h, w, C);
  const int n = int(h * w);
  const Tensors inputs{
      dense[0], dense[1], dense[3],
      any ? indices({N, h, w}, 5, -n, n - 1) : Tensor::full({N, h, w}, -1, DType::i32),
      n > 1 ? indices({N, M}, 6, 1, n - 1) : Tensor::zeros({N, M}, DType::i32)};
  SparseOptions o;
  o.weight = 2;
  o.positive_weight = 1.5;
  o.negative_margin = 0.1;
  return loss_and_terms(
      text("a=", inputs[0].shape(), " M=", M, " ", what), inputs, 2e-6,
      [=](const Tensors& x) { return terms_of(x, o); },
      [=](const Tensors& x, Tensor& terms, Tensor& loss) {
        const Result r = run(x, o);
        terms.copy_from(r.terms);
        loss.copy_from(r.loss);
      },
      [=](const Tensors& x, const Tensor& dloss) {
        const Result r = run(x, o);
        Tensor da = x[0].empty_like(), db = x[1].empty_like();
        descriptor_sparse_backward(sparse_of(x), o, r.active, r.counts, dloss, da, db);
        return Tensors{da, db};
      });
}

const bool added =
    add_row({"descriptor_sparse",
             joined({sparse("one cell", 1, 1, 1, 4, 2), sparse("no pair", 0, 3, 4, 8, 5),
                     sparse("odd", 2, 7, 5, 3, 11), sparse("no negatives", 1, 3, 4, 8, 0),
                     sparse("none drawn", 2, 3, 4, 8, 5, false), sparse("wide", 1, 5, 6, 260, 9),
                     sparse("many", 2, 15, 20, 64, 40)}),
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
