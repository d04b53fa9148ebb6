// descriptor_hinge: the hinge of all products of two descriptor maps.
#include "kernels/loss/descriptor_hinge.h"

#include "tests/conformance/descriptor_cases.h"

namespace cairn::conformance {
namespace {

std::vector<Case> hinge(const char* what, const Tensors& inputs, PairReduction reduction) {
  HingeOptions o;
  o.radius = 1;
  o.weight = 3;
  o.positive_weight = 2.5;
  o.positive_margin = 0.75;
  o.reduction = reduction;
  return loss_and_terms(
      text("a=", inputs[0].shape(), " ", what), inputs, 2e-6,
      [=](const Tensors& x) { return judged(x, o, products(x)); },
      [=](const Tensors& x, Tensor& terms, Tensor& loss) {
        Tensor factor = x[0].empty_like(Shape{1});
        descriptor_hinge(pairs_of(x), o, factor, terms, loss);
      },
      [=](const Tensors& x, const Tensor& dloss) {
        Tensor factor = x[0].empty_like(Shape{1}), terms = x[0].empty_like({4}),
               loss = x[0].empty_like(Shape{});
        descriptor_hinge(pairs_of(x), o, factor, terms, loss);
        Tensor da = x[0].empty_like(), db = x[1].empty_like();
        descriptor_hinge_backward(pairs_of(x), o, factor, dloss, da, db);
        return Tensors{da, db};
      });
}

Tensors none_valid() {
  Tensors x = drawn_pairs(1, 3, 4, 8);
  x[3].zero();
  return x;
}

Tensors weighted() {
  Tensors x = drawn_pairs(2, 4, 5, 12);
  x[3] = uniform({2, 4, 5}, 5, 0, 2);
  return x;
}

// Centres at infinity match nothing.
Tensors no_match() {
  Tensors x = drawn_pairs(1, 2, 3, 4);
  x[2].fill(HUGE_VAL);
  return x;
}

const bool added = add_row(
    {"descriptor_hinge",
     joined({hinge("one cell", drawn_pairs(1, 1, 1, 1, false), PairReduction::mean_n2),
             hinge("no pair", drawn_pairs(0, 3, 4, 8), PairReduction::mean_n),
             hinge("mean_n2", drawn_pairs(2, 7, 5, 3), PairReduction::mean_n2),
             hinge("sum", drawn_pairs(1, 5, 13, 33), PairReduction::sum),
             hinge("mean_n", drawn_pairs(2, 9, 10, 256), PairReduction::mean_n),
             hinge("wide", drawn_pairs(1, 3, 2, 260), PairReduction::sum),
             hinge("weighted", weighted(), PairReduction::mean_n),
             hinge("none valid", none_valid(), PairReduction::mean_n2),
             hinge("no match", no_match(), PairReduction::mean_n2),
             hinge("parts of the gradient", drawn_pairs(1, 15, 20, 64), PairReduction::mean_n)}),
     Float64::on_cpu});

}  // namespace
}  // namespace cairn::conformance
