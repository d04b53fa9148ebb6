#pragma once
// descriptor_hinge: SuperPoint's descriptor loss as published (DeTone et al., CVPRW 2018, eq. 5,
// 6): the hinge of all products of descriptors of two images.
//
//   pairs, options, terms   descriptor_pairs.h
//   factor                  [1], kept for the backward: see PairReduction
//   loss, dloss             one element
//   da, db                  of the shape of a and b
//
//   forward   loss = factor sum over pairs of w_b l(D_ab, s_ab)
//   backward  G_ab = dloss factor w_b (-positive_weight s [D < positive_margin]
//                                      + (1 - s) [D > negative_margin])
//             da = G b,  db = G^T a
//
// No matrix of n x n is stored: products are computed again in the backward.
#include "kernels/dispatch.h"
#include "kernels/loss/descriptor_pairs.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void descriptor_hinge(const DescriptorPairs& pairs,
                                           const HingeOptions& options, Tensor& factor,
                                           Tensor& terms, Tensor& loss);
                     void descriptor_hinge_backward(const DescriptorPairs& pairs,
                                                    const HingeOptions& options,
                                                    const Tensor& factor, const Tensor& dloss,
                                                    Tensor& da, Tensor& db);)

/// Writes factor, terms and loss.
inline void descriptor_hinge(const DescriptorPairs& pairs, const HingeOptions& options,
                             Tensor& factor, Tensor& terms, Tensor& loss) {
  CAIRN_DISPATCH(loss.device(), descriptor_hinge, pairs, options, factor, terms, loss);
}

inline void descriptor_hinge_backward(const DescriptorPairs& pairs, const HingeOptions& options,
                                      const Tensor& factor, const Tensor& dloss, Tensor& da,
                                      Tensor& db) {
  CAIRN_DISPATCH(da.device(), descriptor_hinge_backward, pairs, options, factor, dloss, da, db);
}

}  // namespace cairn
