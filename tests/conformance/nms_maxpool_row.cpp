// nms_maxpool: rounds of keeping the largest of each window and taking out what is around it.
#include "kernels/points/nms_maxpool.h"

#include "tests/conformance/point_maps.h"

namespace cairn::conformance {
namespace {

void one_round(const double* s, int64_t height, int64_t width, int radius, std::vector<bool>& alive,
               double* y) {
  std::vector<int64_t> kept;
  for (int64_t p = 0; p < height * width; ++p) {
    bool largest = alive[p];
    for_pixels_around(p, height, width, radius,
                      [&](int64_t q) { largest = largest && !(alive[q] && stronger(s, q, p)); });
    if (largest) kept.push_back(p);
  }
  for (int64_t p : kept) {
    y[p] = s[p];
    for_pixels_around(p, height, width, radius, [&](int64_t q) { alive[q] = false; });
  }
}

Case maxpool_case(const char* kind, const Tensor& heat, int radius, int rounds, double threshold) {
  Case c;
  c.label = text(kind, " ", heat.shape(), " radius=", radius, " rounds=", rounds,
                 " threshold=", threshold);
  c.inputs = {heat};
  c.formula = [=](const Tensors& x) {
    const int64_t height = x[0].dim(1), width = x[0].dim(2), size = height * width;
    Tensor y = zeros64(x[0].shape());
    for (int64_t n = 0; n < x[0].dim(0); ++n) {
      const double* s = in(x[0]) + n * size;
      std::vector<bool> alive(size);
      for (int64_t p = 0; p < size; ++p) alive[p] = s[p] > threshold;
      for (int r = 0; r < rounds; ++r)
        one_round(s, height, width, radius, alive, y.data<double>() + n * size);
    }
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like();
    nms_maxpool(x[0], radius, rounds, threshold, y);
    return Tensors{y};
  };
  return c;
}

const bool added = add_row({"nms_maxpool",
                            {maxpool_case("random", normal({1, 1, 1}, 1), 4, 3, -10),
                             maxpool_case("empty", normal({0, 5, 5}, 1), 4, 3, 0),
                             maxpool_case("empty", normal({2, 0, 5}, 1), 4, 3, 0),
                             maxpool_case("random", normal({2, 31, 45}, 1), 4, 1, 0),
                             maxpool_case("random", normal({2, 31, 45}, 1), 4, 3, 0),
                             maxpool_case("random", normal({1, 70, 35}, 2), 1, 2, 0.5),
                             maxpool_case("random", normal({1, 9, 9}, 3), 12, 2, -10),
                             maxpool_case("random", normal({2, 9, 13}, 3), 0, 1, 0),
                             maxpool_case("ties", map_with_ties({2, 23, 37}, 4), 2, 3, 0),
                             maxpool_case("ramp", ramp_map({1, 5, 50}), 3, 3, 0)},
                            Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
