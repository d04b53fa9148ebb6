// detector_heatmap: softmax over 65 channels, dustbin dropped, depth to space by 8.
//
//   Launch    one warp per cell, 8 neighbouring cells of a row per block, grid-stride: the block
//             reads 2 KB in one piece and writes rows of 256 B.
//   Traffic   per cell 260 B read (130 B in bf16), 256 B written, about 300 flops: bandwidth-bound;
//             floor = 516 B * cells / bandwidth.
//   Repeats   bitwise: the sum over a cell has a fixed order.
#include "kernels/heatmap/detector_heatmap.h"

#include "kernels/heatmap/detector_cell.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int cell = detector_cell, channels = cell * cell + 1;

template <class T>
CAIRN_KERNEL void detector_heatmap_kernel(const T* logits, int64_t cells, int64_t columns,
                                          float* heat) {
  const int lane = lane_index();
  for (int64_t i = global_thread() / 32; i < cells; i += global_threads() / 32) {
    const Float2 p = cell_softmax(logits + i * channels);
    const int64_t row = i / columns, column = i % columns;
    float* y = heat + (row * cell + lane / cell) * columns * cell + column * cell + lane % cell;
    y[0] = p.x;
    y[4 * columns * cell] = p.y;  // channel lane + 32: four rows below
  }
}

}  // namespace

void detector_heatmap(const Tensor& logits, Tensor& heat) {
  const int64_t columns = logits.dim(2), cells = logits.count() / channels;
  const auto run = [&](auto type) {
    using T = decltype(type);
    launch("detector_heatmap", detector_heatmap_kernel<T>, blocks_for(cells, 8), 256, 0,
           logits.data<T>(), cells, columns, heat.data<float>());
  };
  if (logits.dtype() == DType::bf16)
    run(bf16{});
  else
    run(float{});
}

}  // namespace cairn::CAIRN_NS
