// detector_labels: points as classes of 8x8 cells.
#include "kernels/points/detector_labels.h"

#include <cmath>
#include <map>
#include <set>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Tensor formula(const Tensor& points, const Tensor& keys, const Shape& cells) {
  Tensor labels = Tensor::full(cells, 64, DType::i32);
  const int64_t K = points.dim(1), h = cells[1], w = cells[2];
  for (int64_t n = 0; n < cells[0]; ++n) {
    std::set<std::pair<int64_t, int64_t>> pixels;  // (y, x)
    for (int64_t i = n * K; i < (n + 1) * K; ++i) {
      const double x = std::round(in(points)[2 * i]), y = std::round(in(points)[2 * i + 1]);
      if (x >= 0 && x < double(8 * w) && y >= 0 && y < double(8 * h))
        pixels.insert({int64_t(y), int64_t(x)});
    }
    const int32_t* words = keys.data<int32_t>() + 2 * n;
    const uint64_t key = uint64_t(uint32_t(words[1])) * 0x100000000u + uint32_t(words[0]);
    std::map<int64_t, uint32_t> largest;
    for (const auto& [y, x] : pixels) {
      const int64_t cell = y / 8 * w + x / 8, label = y % 8 * 8 + x % 8;
      const uint32_t number = philox(key, uint64_t(cell), uint64_t(label)).v[0];
      if (largest.contains(cell) && number <= largest[cell]) continue;
      largest[cell] = number;
      labels.data<int32_t>()[n * h * w + cell] = int32_t(label);
    }
  }
  return labels;
}

Case label_case(int64_t N, int64_t K, int64_t h, int64_t w) {
  Case c;
  c.label = text("points=", Shape{N, K, 2}, " cells=", h, "x", w);
  const double side = 8 * double(std::max(h, w));
  c.inputs = {uniform({N, K, 2}, 1, -5, side + 5),
              indices({N, 2}, 2, INT32_MIN / 2, INT32_MAX / 2)};
  if (K > 2) {  // no point, one on the border's outside, and a pixel twice
    const double special[] = {NAN, 1, -0.5, 0, 3, 4, 3.25, 4.25};
    for (int64_t n = 0; n < N; ++n)
      for (int64_t i = 0; i < std::min<int64_t>(2 * K, 8); ++i)
        c.inputs[0].data<double>()[2 * n * K + i] = special[i];
  }
  c.formula = [=](const Tensors& x) { return Tensors{formula(x[0], x[1], {N, h, w})}; };
  c.forward = [=](const Tensors& x) {
    Tensor labels = Tensor::empty({N, h, w}, DType::i32, x[0].device());
    detector_labels(x[0], x[1], labels);
    return Tensors{labels};
  };
  return c;
}

const bool added =
    add_row({"detector_labels",
             {label_case(1, 1, 1, 1), label_case(0, 4, 2, 3), label_case(2, 0, 3, 2),
              label_case(3, 17, 2, 5), label_case(2, 256, 15, 20), label_case(1, 300, 3, 3)},
             Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
