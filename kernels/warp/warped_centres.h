#pragma once
// warped_centres: where the cells of one image lie in another that a homography takes it to.
//
//   homographies  [N,9], row by row: from a pixel of an image to its place in its partner; f32, f64
//   centres       [N,h,w,2] of the same type: (u, v)
//
// Cells are squares of `cell` pixels; the centre of cell (i, j) is the pixel position
// ((j + 1/2) cell - 1/2, (i + 1/2) cell - 1/2). It moves to (x, y) in the partner, which is
// ((x + 1/2) / cell - 1/2, (y + 1/2) / cell - 1/2) in the partner's grid of cells: cell (i', j')
// has its own centre at (j', i'). A centre that the homography sends to infinity gets (inf, inf).
//
// Computed in double everywhere. No gradient: homographies are data.
#include "kernels/dispatch.h"
#include "kernels/warp/warp_image.h"

namespace cairn {

/// Cell (i, j) through the homography `m`.
template <class T>
CAIRN_HD inline void warp_centre(const T* m, int64_t i, int64_t j, int cell, T* uv) {
  double h[9];
  for (int k = 0; k < 9; ++k) h[k] = double(m[k]);
  const double half = 0.5 * (cell - 1);
  const Projected<double> p(h, double(j) * cell + half, double(i) * cell + half);
  uv[0] = p.defined ? T((p.x - half) / cell) : T(HUGE_VAL);
  uv[1] = p.defined ? T((p.y - half) / cell) : T(HUGE_VAL);
}

CAIRN_ON_EACH_DEVICE(void warped_centres(const Tensor& homographies, int cell, Tensor& centres);)

inline void warped_centres(const Tensor& homographies, int cell, Tensor& centres) {
  CAIRN_DISPATCH(centres.device(), warped_centres, homographies, cell, centres);
}

}  // namespace cairn
