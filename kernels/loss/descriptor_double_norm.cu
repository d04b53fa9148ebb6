// descriptor_double_norm: the hinge of products that are normalised along rows, then along columns.
//
//   Launch    descriptor_tiles.cuh: forward, three looks at D (r; then c; then the hinge and k);
//             backward, one for the sums over rows that G_R needs, and for each gradient one more
//             with the product of G and the other side's descriptors: 16 n^2 C flop a pair in all.
//   Traffic   a and b once per row and column of tiles of 64 and look, from L2; nothing of size n^2
//             is written. Floor: flop / FFMA peak.
//   Repeats   bitwise: every sum has a fixed order.
#include "kernels/loss/descriptor_double_norm.h"

#include "kernels/loss/descriptor_tiles.cuh"

namespace cairn::CAIRN_NS {
namespace {

struct DoubleNormForm {
  struct A : CellA {
    float inverse_r, along;  ///< sum over b of G_Q Q
  };
  struct B : CellB {
    float inverse_c, k;
  };
  static constexpr bool has_k = true;
  PairGrid grid;
  Hinge hinge;
  const float *r, *c, *k, *along, *factor;  ///< null where not yet known: then 1, 1, 0, 0

  CAIRN_DEVICE_MEMBER A cell_a(int pair, int cell) const {
    const int64_t at = int64_t(pair) * grid.n + cell;
    return {grid.cell_a(pair, cell), r ? 1 / r[at] : 1.f, along ? along[at] : 0.f};
  }
  CAIRN_DEVICE_MEMBER B cell_b(int pair, int cell) const {
    const int64_t at = int64_t(pair) * grid.n + cell;
    return {grid.cell_b(pair, cell), c ? 1 / c[at] : 1.f, k ? k[at] : 0.f};
  }
  CAIRN_DEVICE_MEMBER float value(float d, const A& a, const B& b) const {
    return fmaxf(d, 0.f) * a.inverse_r * b.inverse_c;
  }
  /// c G_Q.
  CAIRN_DEVICE_MEMBER float unscaled(float t, bool matched, const B& b) const {
    return factor[0] * b.weight * hinge.slope(t, matched) - t * b.k;
  }
  CAIRN_DEVICE_MEMBER float gradient(float d, bool matched, const A& a, const B& b) const {
    if (!(d > 0)) return 0;
    const float u = unscaled(value(d, a, b), matched, b);
    return (u * b.inverse_c - d * a.inverse_r * a.along) * a.inverse_r;
  }
};

// The looks at D before and after the hinge's.

struct RowSquares : DoubleNormForm {
  static constexpr bool largest = false;
  CAIRN_DEVICE_MEMBER void add(float d, bool, const A&, const B&, float* row, float*) const {
    const float positive = fmaxf(d, 0.f);
    row[0] += positive * positive;
  }
};
struct ColumnSquares : DoubleNormForm {
  static constexpr bool largest = false;
  CAIRN_DEVICE_MEMBER void add(float d, bool, const A& a, const B&, float*, float* column) const {
    const float q = fmaxf(d, 0.f) * a.inverse_r;
    column[0] += q * q;
  }
};
struct AlongRows : DoubleNormForm {
  static constexpr bool largest = false;
  CAIRN_DEVICE_MEMBER void add(float d, bool matched, const A& a, const B& b, float* row,
                               float*) const {
    const float t = value(d, a, b);
    row[0] += unscaled(t, matched, b) * t;
  }
};

struct FinishLength {
  float* length;
  CAIRN_DEVICE_MEMBER void operator()(int64_t cell, const float* sums) const {
    length[cell] = fmaxf(sqrtf(sums[0]), float(least_double_norm));
  }
};

// A sum that counts where the length is not the constant.
struct FinishSum {
  const float *length, *factor;  // factor null: 1
  float* sum;
  CAIRN_DEVICE_MEMBER void operator()(int64_t cell, const float* sums) const {
    const bool constant = length[cell] <= float(least_double_norm);
    sum[cell] = constant ? 0.f : (factor ? factor[0] : 1.f) * sums[0];
  }
};

}  // namespace

void descriptor_double_norm(const DescriptorPairs& pairs, const HingeOptions& options,
                            DoubleNorms& norms, Tensor& terms, Tensor& loss) {
  const char* const name = "descriptor_double_norm";
  const PairGrid grid(pairs, options.radius);
  pair_factor(name, grid, options, norms.factor);
  float *factor = norms.factor.data<float>(), *r = norms.r.data<float>(),
        *c = norms.c.data<float>();
  Tensor parts = loss.empty_like({grid.pairs, grid.tiles, grid.n});
  DoubleNormForm form{grid, Hinge(options), nullptr, nullptr, nullptr, nullptr, factor};
  pair_sums<1, 0>(name, RowSquares{form}, parts.data<float>(), nullptr);
  pair_finish<1>(name, grid, parts, FinishLength{r});
  form.r = r;
  pair_sums<0, 1>(name, ColumnSquares{form}, nullptr, parts.data<float>());
  pair_finish<1>(name, grid, parts, FinishLength{c});
  form.c = c;
  pair_judge(name, form, norms.factor, terms, loss, parts.data<float>());
  pair_finish<1>(name, grid, parts, FinishSum{c, factor, norms.k.data<float>()});
}

void descriptor_double_norm_backward(const DescriptorPairs& pairs, const HingeOptions& options,
                                     const DoubleNorms& norms, const Tensor& dloss, Tensor& da,
                                     Tensor& db) {
  const char* const name = "descriptor_double_norm_backward";
  const PairGrid grid(pairs, options.radius);
  Tensor parts = dloss.empty_like({grid.pairs, grid.tiles, grid.n});
  Tensor along = dloss.empty_like({grid.pairs, grid.n});
  DoubleNormForm form{grid,
                      Hinge(options),
                      norms.r.data<float>(),
                      norms.c.data<float>(),
                      norms.k.data<float>(),
                      nullptr,
                      norms.factor.data<float>()};
  pair_sums<1, 0>(name, AlongRows{form}, parts.data<float>(), nullptr);
  pair_finish<1>(name, grid, parts, FinishSum{norms.r.data<float>(), nullptr, along.data<float>()});
  form.along = along.data<float>();
  pair_gradient<DoubleNormForm, true>(name, form, dloss, da);
  pair_gradient<DoubleNormForm, false>(name, form, dloss, db);
}

}  // namespace cairn::CAIRN_NS
