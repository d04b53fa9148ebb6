// compact: places above a threshold, away from the border, in order.
#include "kernels/points/compact.h"

#include "tests/conformance/point_maps.h"

namespace cairn::conformance {
namespace {

Case compact_case(const Tensor& heat, double threshold, int64_t border, int64_t capacity) {
  Case c;
  c.label = text("heat=", heat.shape(), " threshold=", threshold, " border=", border,
                 " capacity=", capacity);
  c.inputs = {heat};
  c.formula = [=](const Tensors& x) {
    const int64_t images = x[0].dim(0), height = x[0].dim(1), width = x[0].dim(2);
    Tensor index = Tensor::full({images, capacity}, -1, DType::i32);
    Tensor count = Tensor::zeros({images}, DType::i32), score = zeros64({images, capacity});
    for (int64_t i = 0; i < x[0].count(); ++i) {
      const int64_t n = i / (height * width), p = i % (height * width);
      const int64_t row = p / width, column = p % width;
      if (in(x[0])[i] <= threshold || row < border || row >= height - border || column < border ||
          column >= width - border)
        continue;
      const int32_t place = count.data<int32_t>()[n]++;
      if (place >= capacity) continue;
      index.data<int32_t>()[n * capacity + place] = int32_t(p);
      score.data<double>()[n * capacity + place] = in(x[0])[i];
    }
    return Tensors{index, score, count};
  };
  c.forward = [=](const Tensors& x) {
    const int64_t images = x[0].dim(0);
    Tensor index = Tensor::empty({images, capacity}, DType::i32, x[0].device());
    Tensor count = Tensor::empty({images}, DType::i32, x[0].device());
    Tensor score = x[0].empty_like({images, capacity});
    compact(x[0], threshold, int(border), index, score, count);
    return Tensors{index, score, count};
  };
  return c;
}

const bool added = add_row(
    {"compact",
     {compact_case(normal({1, 1, 1}, 1), -10, 0, 4), compact_case(normal({0, 5, 5}, 1), 0, 0, 4),
      compact_case(normal({2, 0, 5}, 1), 0, 1, 4), compact_case(normal({2, 3, 3}, 1), -10, 2, 4),
      compact_case(normal({3, 41, 77}, 2), 1, 4, 1000),
      compact_case(normal({3, 41, 77}, 2), 1, 0, 100),
      compact_case(normal({2, 64, 96}, 3), -10, 0, 7000),
      compact_case(normal({2, 64, 96}, 3), 10, 0, 300)},
     Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
