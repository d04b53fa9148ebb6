// refine: linear indices to coordinates, with a fraction of a pixel where that is wanted.
//
//   Launch    one thread per point, 256 per block, grid-stride.
//   Traffic   12 B per point and the 9 or 25 scores around it: for a thousand points the launch.
//   Repeats   bitwise: every point has one writer.
#include "kernels/points/refine.h"

#include "kernels/device.h"
#include "kernels/points/refine_point.h"

namespace cairn::CAIRN_NS {
namespace {

CAIRN_KERNEL void refine_kernel(const float* heat, int64_t height, int64_t width, const int* index,
                                int64_t count, int64_t k, Refinement how, float* points) {
  for (int64_t i = global_thread(); i < count; i += global_threads())
    refine_point(heat + i / k * height * width, height, width, index[i], how, points + 2 * i);
}

}  // namespace

void refine(const Tensor& heat, const Tensor& index, Refinement how, Tensor& points) {
  launch("refine", refine_kernel, blocks_for(index.count(), 256), 256, 0, heat.data<float>(),
         heat.dim(1), heat.dim(2), index.data<int32_t>(), index.count(), index.dim(1), how,
         points.data<float>());
}

}  // namespace cairn::CAIRN_NS
