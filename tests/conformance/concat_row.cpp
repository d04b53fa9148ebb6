// concat and slice_channels, each the other's backward.
#include "kernels/elementwise/concat.h"

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

// Inputs of [2, rows, widths[i]], put side by side from channel `first` of `channels`.
Case concat_case(int64_t rows, std::vector<int64_t> widths, int64_t first, int64_t channels) {
  Case c;
  c.label = text("rows=", 2 * rows, " first=", first, " channels=", channels);
  for (size_t i = 0; i < widths.size(); ++i) {
    c.inputs.push_back(normal({2, rows, widths[i]}, i));
    c.label += text(" ", widths[i]);
  }
  c.bf16_tolerance = 0x1p-9;  // the harness's inputs are bf16: copies
  c.formula = [=](const Tensors& x) {
    Tensor y = zeros64({2, rows, channels});
    for (int64_t r = 0; r < 2 * rows; ++r) {
      double* to = y.data<double>() + r * channels + first;
      for (size_t i = 0; i < x.size(); ++i)
        for (int64_t k = 0; k < widths[i]; ++k) *to++ = in(x[i])[r * widths[i] + k];
    }
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like({2, rows, channels});
    concat(x, first, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dy) {
    Tensors d;
    int64_t at = first;
    for (const Tensor& t : x) {
      d.push_back(t.empty_like());
      slice_channels(dy[0], at, d.back());
      at += t.dim(-1);
    }
    return d;
  };
  return c;
}

Case slice_case(const Shape& shape, int64_t first, int64_t count) {
  Case c;
  c.label = text("x=", shape, " channels ", first, " to ", first + count);
  c.inputs = {normal(shape, 1)};
  c.bf16_tolerance = 0x1p-9;
  const Shape sliced{shape[0], shape[1], count};
  c.formula = [=](const Tensors& x) {
    Tensor y = zeros64(sliced);
    for (int64_t i = 0; i < y.count(); ++i)
      y.data<double>()[i] = in(x[0])[i / count * shape[2] + first + i % count];
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like(sliced);
    slice_channels(x[0], first, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dy) {
    Tensor dx = x[0].empty_like();
    concat({dy[0]}, first, dx);
    return Tensors{dx};
  };
  return c;
}

const bool added = add_row(
    {"concat",
     {concat_case(1, {1}, 0, 1), concat_case(0, {4, 8}, 0, 12), concat_case(35, {3, 1, 7}, 0, 11),
      concat_case(35, {3, 7}, 2, 16), concat_case(33, {8, 4, 64}, 0, 80),
      concat_case(33, {8, 4}, 4, 16), concat_case(501, {65, 31}, 0, 96),
      concat_case(5, {0, 3}, 0, 3), slice_case({1, 1, 1}, 0, 1), slice_case({0, 3, 65}, 0, 64),
      slice_case({7, 11, 65}, 0, 64), slice_case({7, 11, 65}, 64, 1),
      slice_case({40, 33, 64}, 8, 24), slice_case({3, 5, 9}, 2, 5)}});

}  // namespace
}  // namespace cairn::conformance
