#pragma once
// descriptor_draw: the cells that the sparse descriptor loss looks at, drawn anew for each pair.
//
//   homographies  [N,9]; f32, f64: the seed of a pair, so that the same pair draws the same and
//                 another one others, on every device and in every run
//   centres       [N,h,w,2] of the same type: where the cells lie in the partner's grid
//                 (kernels/warp/warped_centres.h)
//   valid         [N,h,w] u8 or of the same type: the weight of the partner's cells
//   matches       [N,h,w] i32: of a cell that is drawn, the partner's cell that it lies in; else -1
//   offsets       [N,M] i32: in 1..n-1 (0 if n = 1), n = h w. Negative m of cell a is the partner's
//                 cell (a + offset m) mod n: one that the partner's cells can tell without a search
//
// A cell can be drawn if it lies in a cell of the partner with a weight above 0; it is with
// probability samples / n. No gradient.
#include <cstring>

#include "kernels/dispatch.h"
#include "runtime/random.h"

namespace cairn {

/// A number from the bits of a pair's homography, as float32 (Fowler, Noll and Vo's hash).
template <class T>
CAIRN_HD inline uint64_t pair_seed(const T* homography) {
  uint64_t seed = 14695981039346656037u;
  for (int k = 0; k < 9; ++k) {
    const float value = float(homography[k]);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    seed = (seed ^ bits) * 1099511628211u;
  }
  return seed;
}

/// The match of a cell of a pair, or -1. `weights` are the partner's.
template <class T, class Weights>
CAIRN_HD inline int32_t draw_match(uint64_t seed, const T* centre, const Weights& weights,
                                   int64_t first_weight, int64_t cell, int64_t h, int64_t w,
                                   int64_t samples) {
  if (!(centre[0] >= T(-0.5) && centre[0] < T(w) - T(0.5) && centre[1] >= T(-0.5) &&
        centre[1] < T(h) - T(0.5)))
    return -1;
  const int64_t match = int64_t(centre[1] + T(0.5)) * w + int64_t(centre[0] + T(0.5));
  if (!(weights[first_weight + match] > 0)) return -1;
  const uint64_t bits = philox(seed, 0, uint64_t(cell)).v[0];
  return bits * uint64_t(h * w) < (uint64_t(samples) << 32) ? int32_t(match) : -1;
}

CAIRN_HD inline int32_t draw_offset(uint64_t seed, int64_t m, int64_t cells) {
  if (cells < 2) return 0;
  return int32_t(1 + (uint64_t{philox(seed, 1, uint64_t(m)).v[0]} * uint64_t(cells - 1) >> 32));
}

CAIRN_ON_EACH_DEVICE(void descriptor_draw(const Tensor& homographies, const Tensor& centres,
                                          const Tensor& valid, int64_t samples, Tensor& matches,
                                          Tensor& offsets);)

/// Writes matches and offsets.
inline void descriptor_draw(const Tensor& homographies, const Tensor& centres, const Tensor& valid,
                            int64_t samples, Tensor& matches, Tensor& offsets) {
  CAIRN_DISPATCH(matches.device(), descriptor_draw, homographies, centres, valid, samples, matches,
                 offsets);
}

}  // namespace cairn
