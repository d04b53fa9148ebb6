// warped_centres: the cells of an image in its partner's grid.
//
//   Launch    one thread per cell, 256 per block, grid-stride.
//   Traffic   8 B written per cell and about 25 flops in double: 1200 cells an image, so that the
//             launch itself is the floor.
//   Repeats   bitwise: every element has one writer.
#include "kernels/warp/warped_centres.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
CAIRN_KERNEL void warped_centres_kernel(const T* homographies, int64_t cells, int height, int width,
                                        int cell, T* centres) {
  for (int64_t i = global_thread(); i < cells; i += global_threads()) {
    const int64_t row = i / width;
    warp_centre(homographies + row / height * 9, row % height, i % width, cell, centres + 2 * i);
  }
}

}  // namespace

void warped_centres(const Tensor& homographies, int cell, Tensor& centres) {
  const int64_t cells = centres.count() / 2;
  with_float(centres.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("warped_centres", warped_centres_kernel<T>, blocks_for(cells, 256), 256, 0,
           homographies.data<T>(), cells, int(centres.dim(1)), int(centres.dim(2)), cell,
           centres.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
