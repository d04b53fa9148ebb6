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

/// The sum over the lanes of a group; all of them get it. All lanes of the warp must call it.
CAIRN_DEVICE float group_sum(float v, int lanes, Site site = Site::current()) {
  for (int d = lanes / 2; d > 0; d /= 2) v += shuffle_xor(full_warp, v, d, site);
  return v;
}

}  // namespace cairn::CAIRN_NS
