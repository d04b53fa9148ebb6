#pragma once
// softmax_cross_entropy: the weighted mean over cells of -log softmax(logits)[label].
//
//   logits, dlogits  [..., C]; f32 or f64
//   labels           [...] i32, 0..C-1
//   valid            [...] u8 or of the logits' type: the cell's weight w, 0 where there is none;
//                    or no tensor: all weights are 1
//   log_sum          [..., 2] m = max x and log sum exp(x - m) of each cell, kept for the backward
//                    (not their sum: beside a large m it would round the small log away)
//   total            [1] the sum of the weights, kept for the backward
//   loss, dloss      one element
//
//   forward   loss = sum of w (m + log sum exp(x - m) - x[label]) / total
//   backward  dlogits[c] = dloss w / total (softmax(x)[c] - [c = label])
//
// Where total = 0 the loss and all gradients are 0. Cells of weight 0 are not read: neither their
// logits nor their labels matter. A label out of range in a cell that counts makes the loss NaN.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void softmax_cross_entropy(const Tensor& logits, const Tensor& labels,
                                                const Tensor* valid, Tensor& log_sum, Tensor& total,
                                                Tensor& loss);
                     void softmax_cross_entropy_backward(const Tensor& logits, const Tensor& labels,
                                                         const Tensor* valid, const Tensor& log_sum,
                                                         const Tensor& total, const Tensor& dloss,
                                                         Tensor& dlogits);)

/// Writes loss, log_sum and total.
inline void softmax_cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor* valid,
                                  Tensor& log_sum, Tensor& total, Tensor& loss) {
  CAIRN_DISPATCH(logits.device(), softmax_cross_entropy, logits, labels, valid, log_sum, total,
                 loss);
}

inline void softmax_cross_entropy_backward(const Tensor& logits, const Tensor& labels,
                                           const Tensor* valid, const Tensor& log_sum,
                                           const Tensor& total, const Tensor& dloss,
                                           Tensor& dlogits) {
  CAIRN_DISPATCH(dlogits.device(), softmax_cross_entropy_backward, logits, labels, valid, log_sum,
                 total, dloss, dlogits);
}

}  // namespace cairn
