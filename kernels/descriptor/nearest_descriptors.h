#pragma once
// nearest_descriptors: for each descriptor of one set the most similar one of another, and the same
// back, in one pass over their products. The matrix of all similarities is never stored.
//
//   a [N,C], b [M,C]        f32 (f64 on cpu)
//   s_ij = a_i . b_j        of unit vectors the cosine: |a_i - b_j|^2 = 2 - 2 s_ij
//   of_a.index       i32 [N]    the j with the largest s_ij; of equal ones the lowest
//   of_a.similarity  [N,2]      that s_ij, and the second largest (equal to it in a tie)
//   of_b.index, of_b.similarity   the same for each j over all i
//
// A place without a candidate (an empty other set; for the second one also a set of one) holds
// index -1 and similarity -infinity. A similarity that is NaN is no candidate. Not differentiable.
#include "kernels/dispatch.h"

namespace cairn {

struct NearestDescriptors {
  Tensor index, similarity;
};

CAIRN_ON_EACH_DEVICE(void nearest_descriptors(const Tensor& a, const Tensor& b,
                                              NearestDescriptors& of_a, NearestDescriptors& of_b);)

/// Writes of_a and of_b.
inline void nearest_descriptors(const Tensor& a, const Tensor& b, NearestDescriptors& of_a,
                                NearestDescriptors& of_b) {
  CAIRN_DISPATCH(a.device(), nearest_descriptors, a, b, of_a, of_b);
}

}  // namespace cairn
