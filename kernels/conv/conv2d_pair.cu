// conv2d_pair: conv2d twice, with the map between them in memory.
//
//   Launch    as conv2d.cu, twice.
//   Traffic   as conv2d.cu, twice. Floor: without the map between, 2 * size of it less.
//   Repeats   bitwise, as conv2d does.
#include "kernels/conv/conv2d_pair.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {

void conv2d_pair(const Tensor& x, const ConvStep& first, const ConvStep& second, Tensor& y) {
  Tensor between = x.empty_like(conv_step_shape(x.shape(), first));
  CAIRN_NS::conv2d(x, first.w, first.options, first.epilogue, between);
  CAIRN_NS::conv2d(between, second.w, second.options, second.epilogue, y);
}

}  // namespace cairn::CAIRN_NS
