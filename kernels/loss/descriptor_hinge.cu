// descriptor_hinge: the hinge of all products, and its two gradients.
//
//   Launch    descriptor_tiles.cuh: one look at D for the forward, and for each gradient one more
//             with the product of G and the other side's descriptors: 10 n^2 C flop a pair in all.
//   Traffic   a and b once per row and column of tiles of 64, from L2; nothing of size n^2 is
//             written. Floor: flop / FFMA peak.
//   Repeats   bitwise: every sum has a fixed order.
#include "kernels/loss/descriptor_hinge.h"

#include "kernels/loss/descriptor_tiles.cuh"

namespace cairn::CAIRN_NS {
namespace {

struct HingeForm {
  using A = CellA;
  using B = CellB;
  static constexpr bool has_k = false;
  PairGrid grid;
  Hinge hinge;
  const float* factor;

  CAIRN_DEVICE_MEMBER A cell_a(int pair, int cell) const { return grid.cell_a(pair, cell); }
  CAIRN_DEVICE_MEMBER B cell_b(int pair, int cell) const { return grid.cell_b(pair, cell); }
  CAIRN_DEVICE_MEMBER float value(float d, const A&, const B&) const { return d; }
  CAIRN_DEVICE_MEMBER float gradient(float d, bool matched, const A&, const B& b) const {
    return factor[0] * b.weight * hinge.slope(d, matched);
  }
};

}  // namespace

void descriptor_hinge(const DescriptorPairs& pairs, const HingeOptions& options, Tensor& factor,
                      Tensor& terms, Tensor& loss) {
  const char* const name = "descriptor_hinge";
  const PairGrid grid(pairs, options.radius);
  pair_factor(name, grid, options, factor);
  pair_judge(name, HingeForm{grid, Hinge(options), nullptr}, factor, terms, loss, nullptr);
}

void descriptor_hinge_backward(const DescriptorPairs& pairs, const HingeOptions& options,
                               const Tensor& factor, const Tensor& dloss, Tensor& da, Tensor& db) {
  const char* const name = "descriptor_hinge_backward";
  const PairGrid grid(pairs, options.radius);
  const HingeForm form{grid, Hinge(options), factor.data<float>()};
  pair_gradient<HingeForm, true>(name, form, dloss, da);
  pair_gradient<HingeForm, false>(name, form, dloss, db);
}

}  // namespace cairn::CAIRN_NS
