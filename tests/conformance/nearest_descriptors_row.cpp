// nearest_descriptors: the best two of every row and every column of a product.
#include "kernels/descriptor/nearest_descriptors.h"

#include <cmath>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

// The best two of s(0), s(1) ... s(count - 1), written to place i.
template <class S>
void best_two(int64_t i, int64_t count, S&& s, Tensor& index, Tensor& similarity) {
  double best = -INFINITY, second = -INFINITY;
  int32_t at = -1;
  for (int64_t k = 0; k < count; ++k)
    if (s(k) > best) {
      best = s(k);
      at = int32_t(k);
    }
  for (int64_t k = 0; k < count; ++k)
    if (k != at && s(k) > second) second = s(k);
  index.data<int32_t>()[i] = at;
  similarity.data<double>()[2 * i] = best;
  similarity.data<double>()[2 * i + 1] = second;
}

Case nearest_case(const char* kind, const Tensor& a, const Tensor& b) {
  const int64_t N = a.dim(0), M = b.dim(0), C = a.dim(1);
  Case c;
  c.label = text(kind, " a=", a.shape(), " b=", b.shape());
  c.inputs = {a, b};
  c.formula = [=](const Tensors& x) {
    const auto product = [&](int64_t i, int64_t j) {
      double sum = 0;
      for (int64_t k = 0; k < C; ++k) sum += in(x[0])[i * C + k] * in(x[1])[j * C + k];
      return sum;
    };
    Tensor ai = Tensor::zeros({N}, DType::i32), bi = Tensor::zeros({M}, DType::i32);
    Tensor as = zeros64({N, 2}), bs = zeros64({M, 2});
    for (int64_t i = 0; i < N; ++i)
      best_two(
          i, M, [&](int64_t j) { return product(i, j); }, ai, as);
    for (int64_t j = 0; j < M; ++j)
      best_two(
          j, N, [&](int64_t i) { return product(i, j); }, bi, bs);
    return Tensors{ai, as, bi, bs};
  };
  c.forward = [=](const Tensors& x) {
    const auto made = [&](int64_t count) {
      return NearestDescriptors{Tensor::empty({count}, DType::i32, x[0].device()),
                                x[0].empty_like({count, 2})};
    };
    NearestDescriptors of_a = made(N), of_b = made(M);
    nearest_descriptors(x[0], x[1], of_a, of_b);
    return Tensors{of_a.index, of_a.similarity, of_b.index, of_b.similarity};
  };
  return c;
}

Tensor with_a_nan(Tensor t) {
  t.data<double>()[3] = NAN;
  return t;
}

const bool added =
    add_row({"nearest_descriptors",
             {nearest_case("random", normal({1, 1}, 1), normal({1, 1}, 2)),
              nearest_case("random", normal({37, 16}, 1), normal({150, 16}, 2)),
              nearest_case("random", normal({300, 29}, 3), normal({71, 29}, 4)),
              nearest_case("several passes", normal({65, 520}, 5), normal({270, 520}, 6)),
              nearest_case("ties", whole({140, 4}, 7, -2, 2), whole({300, 4}, 8, -2, 2)),
              nearest_case("ties", whole({3000, 2}, 9, -2, 2), whole({5, 2}, 10, -2, 2)),
              nearest_case("all alike", zeros64({70, 8}), zeros64({70, 8})),
              nearest_case("no channel", zeros64({3, 0}), zeros64({2, 0})),
              nearest_case("one", normal({1, 8}, 1), normal({90, 8}, 2)),
              nearest_case("empty", normal({0, 8}, 1), normal({5, 8}, 2)),
              nearest_case("empty", normal({5, 8}, 1), normal({0, 8}, 2)),
              nearest_case("a NaN", with_a_nan(normal({6, 4}, 1)), normal({9, 4}, 2))},
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
