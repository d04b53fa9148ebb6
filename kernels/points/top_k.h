#pragma once
// The k best of lists of points, by falling score; equal scores keep the order of the list.
//
//   index, score, count               [N, M], [N, M], [N]: a list as compact() makes it
//   top_index, top_score, top_count   [N, k], [N, k], [N]; unused places hold -1 and 0
//   top_count = min(count, M, k)
//
// Scores must not be NaN.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void top_k(const Tensor& index, const Tensor& score, const Tensor& count,
                                Tensor& top_index, Tensor& top_score, Tensor& top_count);)

/// Writes top_index, top_score and top_count.
inline void top_k(const Tensor& index, const Tensor& score, const Tensor& count, Tensor& top_index,
                  Tensor& top_score, Tensor& top_count) {
  CAIRN_DISPATCH(score.device(), top_k, index, score, count, top_index, top_score, top_count);
}

}  // namespace cairn
