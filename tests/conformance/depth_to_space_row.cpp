// depth_to_space and space_to_depth, each the other's backward.
#include "kernels/heatmap/depth_to_space.h"

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

// Copies every element of `deep`, or of `wide` if `back`, to its place in the other.
Tensor shuffled(const Tensor& from, const Shape& deep, int r, bool back) {
  const int64_t H = deep[1], W = deep[2], C = deep[3], D = C / (r * r);
  Tensor to = zeros64(back ? deep : Shape{deep[0], H * r, W * r, D});
  for (int64_t at = 0; at < deep.count(); ++at) {
    const int64_t k = at % C, j = at / C % W, i = at / C / W % H, n = at / C / W / H;
    const int64_t d = k / (r * r), u = k / r % r, v = k % r;
    const int64_t wide = ((n * H * r + i * r + u) * W * r + j * r + v) * D + d;
    to.data<double>()[back ? at : wide] = in(from)[back ? wide : at];
  }
  return to;
}

Case shuffle_case(const Shape& deep, int r, bool back) {
  const Shape wide{deep[0], deep[1] * r, deep[2] * r, deep[3] / (r * r)};
  Case c;
  c.label = text("deep=", deep, " r=", r, back ? " space_to_depth" : " depth_to_space");
  c.inputs = {normal(back ? wide : deep, 1)};
  const auto there = back ? static_cast<void (*)(const Tensor&, int, Tensor&)>(space_to_depth)
                          : static_cast<void (*)(const Tensor&, int, Tensor&)>(depth_to_space);
  const auto home = back ? static_cast<void (*)(const Tensor&, int, Tensor&)>(depth_to_space)
                         : static_cast<void (*)(const Tensor&, int, Tensor&)>(space_to_depth);
  c.formula = [=](const Tensors& x) { return Tensors{shuffled(x[0], deep, r, back)}; };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like(back ? deep : wide);
    there(x[0], r, y);
    return Tensors{y};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dy) {
    Tensor dx = x[0].empty_like();
    home(dy[0], r, dx);
    return Tensors{dx};
  };
  return c;
}

Row row() {
  Row r{"depth_to_space", {}};
  for (bool back : {false, true})
    for (const Case& c :
         {shuffle_case({1, 1, 1, 1}, 1, back), shuffle_case({0, 2, 2, 64}, 8, back),
          shuffle_case({1, 1, 1, 64}, 8, back), shuffle_case({2, 15, 20, 64}, 8, back),
          shuffle_case({2, 3, 5, 12}, 2, back), shuffle_case({1, 7, 3, 27}, 3, back)})
      r.cases.push_back(c);
  return r;
}

const bool added = add_row(row());

}  // namespace
}  // namespace cairn::conformance
