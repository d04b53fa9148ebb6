// descriptor_draw: cells and negatives for the sparse descriptor loss.
//
//   Launch    one thread per cell, then one per offset, 256 per block, grid-stride.
//   Traffic   16 B per cell, 4 B per offset, and a Philox block each: a few thousand, so that the
//             launches are the floor.
//   Repeats   bitwise: counter-based numbers, one writer per element.
#include "kernels/loss/descriptor_draw.h"

#include "kernels/loss/cell_weights_device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
CAIRN_KERNEL void draw_matches_kernel(const T* homographies, const T* centres,
                                      CellWeights<T> weights, int64_t pairs, int h, int w,
                                      int64_t samples, int* matches) {
  const int64_t n = int64_t(h) * w;
  for (int64_t i = global_thread(); i < pairs * n; i += global_threads()) {
    const int64_t pair = i / n;
    matches[i] = draw_match(pair_seed(homographies + 9 * pair), centres + 2 * i, weights, pair * n,
                            i % n, h, w, samples);
  }
}

template <class T>
CAIRN_KERNEL void draw_offsets_kernel(const T* homographies, int64_t count, int64_t per_pair,
                                      int64_t n, int* offsets) {
  for (int64_t i = global_thread(); i < count; i += global_threads())
    offsets[i] = draw_offset(pair_seed(homographies + 9 * (i / per_pair)), i % per_pair, n);
}

}  // namespace

void descriptor_draw(const Tensor& homographies, const Tensor& centres, const Tensor& valid,
                     int64_t samples, Tensor& matches, Tensor& offsets) {
  with_float(centres.dtype(), [&](auto type) {
    using T = decltype(type);
    const int h = int(centres.dim(1)), w = int(centres.dim(2));
    launch("descriptor_draw", draw_matches_kernel<T>, blocks_for(matches.count(), 256), 256, 0,
           homographies.data<T>(), centres.data<T>(), CellWeights<T>(&valid), centres.dim(0), h, w,
           samples, matches.data<int>());
    launch("descriptor_draw", draw_offsets_kernel<T>, blocks_for(offsets.count(), 256), 256, 0,
           homographies.data<T>(), offsets.count(), offsets.dim(1), int64_t(h) * w,
           offsets.data<int>());
  });
}

}  // namespace cairn::CAIRN_NS
