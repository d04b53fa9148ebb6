#pragma once
// The three descriptor losses of SuperPoint, on pairs of images whose homography is known.
//
//   descriptors  [2N,h,w,C] of unit length: of the N images, then of their N partners
//   homography   [N,9], row by row: takes a pixel of image n to its place in its partner
//   valid        [N,h,w], u8 or of the descriptors' type: the weight of the partners' cells
//
// Each throws an Error that lists what does not fit.
#include "kernels/loss/descriptor_pairs.h"
#include "kernels/loss/descriptor_sparse.h"
#include "layers/tape.h"

namespace cairn {

/// What is known of the pairs.
struct PairGeometry {
  Tensor homography, valid;
  int cell = 8;  ///< pixels of a cell's side
};

struct DescriptorLoss {
  Var total;  ///< one element
  /// [4]: the total's part of cells that match, that of the others, the mean cosine of matches, the
  /// mean cosine of the hardest others.
  Tensor terms;
};

/// kernels/loss/descriptor_hinge.h: as published.
DescriptorLoss descriptor_hinge(const Var& descriptors, const PairGeometry& pairs,
                                const HingeOptions& options);

/// kernels/loss/descriptor_double_norm.h: of products normalised twice.
DescriptorLoss descriptor_double_norm(const Var& descriptors, const PairGeometry& pairs,
                                      const HingeOptions& options);

/// kernels/loss/descriptor_sparse.h: about `samples` cells of an image, each against its match and
/// `negatives` others, drawn from the bits of its homography.
struct SparseSampling {
  int64_t samples = 1000, negatives = 100;
};
DescriptorLoss descriptor_sparse(const Var& descriptors, const PairGeometry& pairs,
                                 const SparseOptions& options, const SparseSampling& sampling = {});

}  // namespace cairn
