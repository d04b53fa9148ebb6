// nms_greedy: points in falling order, each deletes what is near.
#include "kernels/points/nms_greedy.h"

#include <numeric>

#include "tests/conformance/point_maps.h"

namespace cairn::conformance {
namespace {

Case greedy_case(const char* kind, const Tensor& heat, int radius, double threshold) {
  Case c;
  c.label = text(kind, " ", heat.shape(), " radius=", radius, " threshold=", threshold);
  c.inputs = {heat};
  c.formula = [=](const Tensors& x) {
    const int64_t height = x[0].dim(1), width = x[0].dim(2), size = height * width;
    Tensor y = zeros64(x[0].shape());
    for (int64_t n = 0; n < x[0].dim(0); ++n) {
      const double* s = in(x[0]) + n * size;
      std::vector<int64_t> order(size);
      std::iota(order.begin(), order.end(), 0);
      std::sort(order.begin(), order.end(),
                [&](int64_t a, int64_t b) { return stronger(s, a, b); });
      std::vector<bool> deleted(size);
      for (int64_t p : order) {
        if (deleted[p] || s[p] <= threshold) continue;
        y.data<double>()[n * size + p] = s[p];
        for_pixels_around(p, height, width, radius, [&](int64_t q) { deleted[q] = true; });
      }
    }
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like();
    nms_greedy(x[0], radius, threshold, y);
    return Tensors{y};
  };
  return c;
}

const bool added = add_row({"nms_greedy",
                            {greedy_case("random", normal({1, 1, 1}, 1), 4, -10),
                             greedy_case("empty", normal({0, 5, 5}, 1), 4, 0),
                             greedy_case("empty", normal({2, 0, 5}, 1), 4, 0),
                             greedy_case("random", normal({2, 31, 45}, 1), 4, 0),
                             greedy_case("random", normal({1, 17, 70}, 2), 1, 0.5),
                             greedy_case("many open", normal({1, 91, 133}, 5), 4, -10),
                             greedy_case("random", normal({1, 9, 9}, 3), 12, -10),
                             greedy_case("random", normal({2, 9, 13}, 3), 0, 0),
                             greedy_case("ties", map_with_ties({2, 23, 37}, 4), 2, 0),
                             greedy_case("ramp", ramp_map({1, 5, 150}), 1, 0)},
                            Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
