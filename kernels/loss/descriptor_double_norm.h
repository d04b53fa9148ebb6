#pragma once
// descriptor_double_norm: the hinge of products that have been normalised twice, the form with
// which SuperPoint's descriptors are known to converge (rpautrat/SuperPoint).
//
//   pairs, options, terms   descriptor_pairs.h
//   norms                   kept for the backward
//   loss, dloss             one element
//   da, db                  of the shape of a and b
//
//   R = max(0, D)
//   Q = R / r,   r_a = max(1e-6, |R_a.|) over the partner's cells
//   T = Q / c,   c_b = max(1e-6, |Q_.b|) over the image's cells
//   loss = factor sum over pairs of w_b l(T_ab, s_ab)
//
//   G   = factor w_b (-positive_weight s [T < positive_margin] + (1 - s) [T > negative_margin])
//   k_b = sum over a of G T                                      (0 where c is the constant 1e-6)
//   G_Q = (G - T k_b) / c_b
//   G_R = (G_Q - Q sum over b of G_Q Q) / r_a                    (without the sum where r is 1e-6)
//   G_D = dloss G_R [D > 0],   da = G_D b,   db = G_D^T a
//
// So r, c and k are all that remains of the n x n products, which are computed again where needed.
#include "kernels/dispatch.h"
#include "kernels/loss/descriptor_pairs.h"

namespace cairn {

constexpr double least_double_norm = 1e-6;

/// What the forward leaves: factor [1]; r, c, k [N,h,w].
struct DoubleNorms {
  Tensor factor, r, c, k;
};

CAIRN_ON_EACH_DEVICE(
    void descriptor_double_norm(const DescriptorPairs& pairs, const HingeOptions& options,
                                DoubleNorms& norms, Tensor& terms, Tensor& loss);
    void descriptor_double_norm_backward(const DescriptorPairs& pairs, const HingeOptions& options,
                                         const DoubleNorms& norms, const Tensor& dloss, Tensor& da,
                                         Tensor& db);)

/// Writes norms, terms and loss.
inline void descriptor_double_norm(const DescriptorPairs& pairs, const HingeOptions& options,
                                   DoubleNorms& norms, Tensor& terms, Tensor& loss) {
  CAIRN_DISPATCH(loss.device(), descriptor_double_norm, pairs, options, norms, terms, loss);
}

inline void descriptor_double_norm_backward(const DescriptorPairs& pairs,
                                            const HingeOptions& options, const DoubleNorms& norms,
                                            const Tensor& dloss, Tensor& da, Tensor& db) {
  CAIRN_DISPATCH(da.device(), descriptor_double_norm_backward, pairs, options, norms, dloss, da,
                 db);
}

}  // namespace cairn
