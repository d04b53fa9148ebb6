#pragma once
// detector_labels: points as the classes of 8x8 cells that SuperPoint's detector is trained on.
//
//   points   [N,K,2]: (x, y) in pixels, whose centres are integers; NaN is no point; f32 (f64 on
//            cpu)
//   keys     [N,2] i32: low and high word of the key that each image's choices follow from
//   labels   [N,h,w] i32: 8 dy + dx of the point in the cell, or 64
//
// A point is rounded to a pixel; those outside of the image's 8h x 8w pixels are left out. Of
// several pixels in one cell, the one with the largest philox(key, cell, class) is taken: each is
// as likely as the others, and the same pixel twice is one candidate.
//
// No gradient: these are targets.
#include <cmath>

#include "kernels/augment/half_words.h"
#include "kernels/dispatch.h"

namespace cairn {

inline constexpr int detector_cell = 8;
inline constexpr int no_point = detector_cell * detector_cell;  ///< the class of an empty cell

/// Whether a class beats the one that a cell has: what of two candidates has the larger number.
struct CellChoice {
  uint64_t key;
  int64_t cell;

  CAIRN_HD CellChoice(const int32_t* words, int64_t c) : key(joined(words)), cell(c) {}
  CAIRN_HD uint32_t number(int32_t label) const {
    return philox(key, uint64_t(cell), uint64_t(label)).v[0];
  }
  CAIRN_HD int32_t better(int32_t a, int32_t b) const {
    if (a == no_point || a == b) return b;
    const uint32_t m = number(a), n = number(b);
    return m > n || (m == n && a < b) ? a : b;
  }
};

CAIRN_ON_EACH_DEVICE(void detector_labels(const Tensor& points, const Tensor& keys,
                                          Tensor& labels);)

inline void detector_labels(const Tensor& points, const Tensor& keys, Tensor& labels) {
  CAIRN_DISPATCH(labels.device(), detector_labels, points, keys, labels);
}

}  // namespace cairn
