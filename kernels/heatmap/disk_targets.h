#pragma once
// disk_targets: disks about annotated points, and in every cell of one the way to its point.
//
//   points   [N,M,K,2]: M instances of K points, (x, y) in heatmap cells, whose centres are
//            integers; f32 (f64 on cpu)
//   visible  [N,M,K] u8: 0 is no point (points may then hold anything)
//   radius   > 0, in cells; a cell is in the disk of p if |p - cell|^2 <= radius^2
//   disks    [N,H,W,K]: 1 in the disk of the first instance that is there, else 0
//   weights  [N,H,W,K]: 1, but 0 in the disks of the other instances, as far as the first one's
//            does not cover them, and 0 everywhere if no instance is there
//   offsets  [N,H,W,2K]: p - cell, (x, y) in cells, where disks is 1, else 0; all three of the type
//            of points
//
// No gradient: these are targets.
// Source: Papandreou et al., "Towards Accurate Multi-person Pose Estimation in the Wild", CVPR
// 2017.
#include "kernels/dispatch.h"
#include "runtime/host_device.h"

namespace cairn {

/// What one cell learns of one point.
template <class T>
struct DiskTarget {
  T disk, weight, dx, dy;
};

/// `points` and `visible` begin at the point's first instance; the next ones follow `step` points
/// further, up to `end`.
template <class T>
CAIRN_HD inline DiskTarget<T> disk_target(const T* points, const uint8_t* visible, int64_t step,
                                          int64_t end, T radius, T column, T row) {
  DiskTarget<T> outside{0, 0, 0, 0};
  for (int64_t i = 0; i < end; i += step) {
    if (!visible[i]) continue;
    const bool first = outside.weight == 0;
    const T dx = points[2 * i] - column, dy = points[2 * i + 1] - row;
    if (dx * dx + dy * dy <= radius * radius)
      return first ? DiskTarget<T>{1, 1, dx, dy} : DiskTarget<T>{0, 0, 0, 0};
    outside.weight = 1;
  }
  return outside;
}

CAIRN_ON_EACH_DEVICE(void disk_targets(const Tensor& points, const Tensor& visible, double radius,
                                       Tensor& disks, Tensor& weights, Tensor& offsets);)

inline void disk_targets(const Tensor& points, const Tensor& visible, double radius, Tensor& disks,
                         Tensor& weights, Tensor& offsets) {
  CAIRN_DISPATCH(disks.device(), disk_targets, points, visible, radius, disks, weights, offsets);
}

}  // namespace cairn
