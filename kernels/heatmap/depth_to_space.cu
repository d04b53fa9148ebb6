// depth_to_space and space_to_depth: a permutation.
//
//   Launch    one thread per element of the wide image; a block per image row and 256 elements.
//   Traffic   8 B per element: bandwidth-bound; floor = 8 B * count / bandwidth. The wide side is
//             touched in whole lines, the deep side in runs of r elements (one 32 B sector for
//             r = 8).
//   Repeats   bitwise: copies, every element has one writer.
#include "kernels/heatmap/depth_to_space.h"

#include "kernels/image_rows_device.h"

namespace cairn::CAIRN_NS {
namespace {

enum class Towards { wide, deep };

template <class T, Towards towards>
CAIRN_KERNEL void shuffle_kernel(const T* from, ImageSize wide, ImageSize deep, int r, T* to) {
  for_each_pack<1>(wide, [&](int64_t n, int i, int j, int d) {
    const int64_t in_wide = place(wide, n, i, j, d);
    const int64_t in_deep = place(deep, n, i / r, j / r, (d * r + i % r) * r + j % r);
    if constexpr (towards == Towards::wide)
      to[in_wide] = from[in_deep];
    else
      to[in_deep] = from[in_wide];
  });
}

template <Towards towards>
void run(const char* name, const Tensor& from, const ImageSize& wide, const ImageSize& deep, int r,
         Tensor& to) {
  const RowGrid g = row_grid(wide, 1);
  with_float(to.dtype(), [&](auto type) {
    using T = decltype(type);
    launch(name, shuffle_kernel<T, towards>, g.grid, g.block, 0, from.data<T>(), wide, deep, r,
           to.data<T>());
  });
}

}  // namespace

void depth_to_space(const Tensor& deep, int r, Tensor& wide) {
  run<Towards::wide>("depth_to_space", deep, ImageSize(wide.shape()), ImageSize(deep.shape()), r,
                     wide);
}

void space_to_depth(const Tensor& wide, int r, Tensor& deep) {
  run<Towards::deep>("space_to_depth", wide, ImageSize(wide.shape()), ImageSize(deep.shape()), r,
                     deep);
}

}  // namespace cairn::CAIRN_NS
