#pragma once
// Groups of neighbouring lanes of a warp that share one row of channels: 32 lanes for many
// channels, fewer for few, so that a warp takes several rows. Included by .cu files only.
#include "kernels/device.h"

namespace cairn::CAIRN_NS {

/// The smallest power of two that covers `channels`, at most 32: the lanes of a group.
inline int lanes_for(int64_t channels) {
  int lanes = 1;
  while (lanes < channels && lanes < 32) lanes *= 2;
  return lanes;
}

/// This thread's rows, one for each group of lanes of the grid, then the next ones. The lanes of a
/// warp stay together to the end, so that they can meet: a group past the last row reads that row
/// (`row`), but owns nothing (`own`).
///
///   for (RowWalk walk(lanes); walk.any(rows); walk.next()) {
///     ...
///     if (walk.own(rows)) ...
///   }
struct RowWalk {
  int lane;       ///< in the group
  int64_t first;  ///< row of the warp's first group
  int64_t step;
  int group;  ///< in the warp

  CAIRN_DEVICE_MEMBER explicit RowWalk(int lanes) {
    const int in_warp = int(threadIdx.x) % 32;
    lane = in_warp % lanes;
    group = in_warp / lanes;
    first = (global_thread() - in_warp) / lanes;
    step = global_threads() / lanes;
  }
  CAIRN_DEVICE_MEMBER bool any(int64_t rows) const { return first < rows; }
  CAIRN_DEVICE_MEMBER bool own(int64_t rows) const { return first + group < rows; }
  CAIRN_DEVICE_MEMBER int64_t row(int64_t rows) const { return min(first + group, rows - 1); }
  CAIRN_DEVICE_MEMBER void next() { first += step; }
};

/// The sum over the lanes of a group; all of them get it. All lanes of the warp must call it.
CAIRN_DEVICE float group_sum(float v, int lanes, Site site = Site::current()) {
  for (int d = lanes / 2; d > 0; d /= 2) v += shuffle_xor(full_warp, v, d, site);
  return v;
}
/// The largest, likewise.
CAIRN_DEVICE float group_max(float v, int lanes, Site site = Site::current()) {
  for (int d = lanes / 2; d > 0; d /= 2) v = fmaxf(v, shuffle_xor(full_warp, v, d, site));
  return v;
}

}  // namespace cairn::CAIRN_NS
