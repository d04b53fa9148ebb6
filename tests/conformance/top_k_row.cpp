// top_k: the best of a list by score, equal ones in the order of the list.
#include "kernels/points/top_k.h"

#include <numeric>

#include "tests/conformance/point_maps.h"

namespace cairn::conformance {
namespace {

// inputs: score, index, count
Case top_k_case(const Tensor& score, const std::vector<int32_t>& count, int64_t k) {
  const int64_t images = score.dim(0), listed = score.dim(1);
  Case c;
  c.label = text("score=", score.shape(), " k=", k);
  c.inputs = {score, indices(score.shape(), 8, 0, 1 << 20), Tensor::from<int32_t>({images}, count)};
  c.formula = [=](const Tensors& x) {
    Tensor index = Tensor::full({images, k}, -1, DType::i32), best = zeros64({images, k});
    Tensor found = Tensor::zeros({images}, DType::i32);
    for (int64_t n = 0; n < images; ++n) {
      const double* s = in(x[0]) + n * listed;
      std::vector<int64_t> order(std::min<int64_t>(listed, count[n]));
      std::iota(order.begin(), order.end(), 0);
      std::sort(order.begin(), order.end(),
                [&](int64_t a, int64_t b) { return stronger(s, a, b); });
      order.resize(std::min<int64_t>(order.size(), k));
      for (size_t i = 0; i < order.size(); ++i) {
        index.data<int32_t>()[n * k + i] = x[1].data<int32_t>()[n * listed + order[i]];
        best.data<double>()[n * k + i] = s[order[i]];
      }
      found.data<int32_t>()[n] = int32_t(order.size());
    }
    return Tensors{index, best, found};
  };
  c.forward = [=](const Tensors& x) {
    Tensor index = Tensor::empty({images, k}, DType::i32, x[0].device());
    Tensor found = Tensor::empty({images}, DType::i32, x[0].device());
    Tensor best = x[0].empty_like({images, k});
    top_k(x[1], x[0], x[2], index, best, found);
    return Tensors{index, best, found};
  };
  return c;
}

const bool added =
    add_row({"top_k",
             {top_k_case(normal({1, 1}, 1), {1}, 1), top_k_case(normal({1, 1}, 1), {0}, 3),
              top_k_case(normal({0, 5}, 1), {}, 3), top_k_case(normal({1, 0}, 1), {7}, 3),
              top_k_case(normal({3, 700}, 2), {700, 900, 5}, 100),
              top_k_case(normal({2, 300}, 2), {300, 256}, 400),
              top_k_case(whole({2, 600}, 3, -3, 3), {600, 511}, 257)},
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
