#pragma once
// descriptor_sparse: a descriptor loss that looks at some cells of an image alone, each against its
// match and a hundred others (eric-yyjau/pytorch-superpoint).
//
//   a, b, da, db  [N,h,w,C]  unit descriptors of the images and of their partners; f32 (f64 on cpu)
//   valid         [N,h,w]    u8 or as a: cells of the partner with weight 0 are no negatives
//   matches       [N,h,w] i32, offsets [N,M] i32: descriptor_draw.h
//   active        [N,n,M+1] u8, n = h w, kept: which hinges of a cell are above 0, the match's last
//   counts        [N,2] as a, kept: S, the cells drawn, and Z, the negatives with a hinge above 0
//   terms         [4]: the loss's two parts; the mean of the products of matches; the mean over
//                 drawn cells of the largest of their negatives
//   loss, dloss   one element
//
//   A negative counts if it is valid and more than one row or column away from the cell's match.
//   pair's loss = positive_weight / S sum over drawn a of max(0, positive_margin - a . b_match)
//                 + 1 / (Z + 1) sum over their negatives b of max(0, a . b - negative_margin)
//   loss = weight / N times the sum over the pairs; a pair without a drawn cell adds 0
//
// Gradient: of each hinge above 0; S and Z count as constants. db gathers: of negative m, cell b is
// that of cell (b - offset m) mod n.
#include "kernels/dispatch.h"
#include "runtime/host_device.h"

namespace cairn {

struct SparsePairs {
  Tensor a, b, valid, matches, offsets;
};

struct SparseOptions {
  double weight = 1;           ///< of the whole loss, lambda
  double positive_weight = 1;  ///< lambda_d
  double positive_margin = 1, negative_margin = 0.2;
};

/// Cells `b` and `match` of a grid of width w are no more than one row and one column apart.
CAIRN_HD inline bool adjacent_cells(int b, int match, int w) {
  const int dy = b / w - match / w, dx = b % w - match % w;
  return dy >= -1 && dy <= 1 && dx >= -1 && dx <= 1;
}

CAIRN_ON_EACH_DEVICE(void descriptor_sparse(const SparsePairs& pairs, const SparseOptions& options,
                                            Tensor& active, Tensor& counts, Tensor& terms,
                                            Tensor& loss);
                     void descriptor_sparse_backward(const SparsePairs& pairs,
                                                     const SparseOptions& options,
                                                     const Tensor& active, const Tensor& counts,
                                                     const Tensor& dloss, Tensor& da, Tensor& db);)

/// Writes active, counts, terms and loss.
inline void descriptor_sparse(const SparsePairs& pairs, const SparseOptions& options,
                              Tensor& active, Tensor& counts, Tensor& terms, Tensor& loss) {
  CAIRN_DISPATCH(loss.device(), descriptor_sparse, pairs, options, active, counts, terms, loss);
}

inline void descriptor_sparse_backward(const SparsePairs& pairs, const SparseOptions& options,
                                       const Tensor& active, const Tensor& counts,
                                       const Tensor& dloss, Tensor& da, Tensor& db) {
  CAIRN_DISPATCH(da.device(), descriptor_sparse_backward, pairs, options, active, counts, dloss, da,
                 db);
}

}  // namespace cairn
