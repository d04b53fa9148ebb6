// detector_labels: points as classes of 8x8 cells.
//
//   Launch    one thread per cell, 256 per block, grid-stride; it asks every point of its image,
//             which are the same for a warp's lanes as a rule: one broadcast each.
//   Traffic   8 B a point and 4 B a cell; 12 instructions a point and cell, and the numbers of the
//             few that meet in a cell. Floor = (8 B * points + 4 B * cells) / bandwidth; 12 * 300 *
//             256 instructions an image of 120x160 with 256 points are 3 us for 64 images on an
//             H200.
//   Repeats   bitwise: every cell has one writer, and no order of points changes its choice.
#include "kernels/points/detector_labels.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

CAIRN_KERNEL void detector_labels_kernel(const float* points, const int32_t* keys, int count,
                                         int64_t cells, int rows, int columns, int32_t* labels) {
  for (int64_t i = global_thread(); i < cells; i += global_threads()) {
    const int64_t n = i / (int64_t(rows) * columns);
    const int cell = int(i % (int64_t(rows) * columns));
    const float left = float(cell % columns * detector_cell),
                top = float(cell / columns * detector_cell);
    const CellChoice choice(keys + 2 * n, cell);
    int32_t label = no_point;
    for (const float* p = points + 2 * n * count; p != points + 2 * (n + 1) * count; p += 2) {
      const float dx = roundf(p[0]) - left, dy = roundf(p[1]) - top;
      if (dx >= 0 && dx < detector_cell && dy >= 0 && dy < detector_cell)
        label = choice.better(label, int32_t(dy) * detector_cell + int32_t(dx));
    }
    labels[i] = label;
  }
}

}  // namespace

void detector_labels(const Tensor& points, const Tensor& keys, Tensor& labels) {
  launch("detector_labels", detector_labels_kernel, blocks_for(labels.count(), 256), 256, 0,
         points.data<float>(), keys.data<int32_t>(), int(points.dim(1)), labels.count(),
         int(labels.dim(1)), int(labels.dim(2)), labels.data<int32_t>());
}

}  // namespace cairn::CAIRN_NS
