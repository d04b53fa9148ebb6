#pragma once
// Where a filter looks beyond an image's border.
#include "runtime/host_device.h"

namespace cairn {

/// Index i outside of 0..n-1 mirrored back: -1 -> 1, n -> n - 2. Needs |overhang| < n.
CAIRN_HD inline int reflect101(int i, int n) {
  if (n == 1) return 0;
  if (i < 0) i = -i;
  return i < n ? i : 2 * n - 2 - i;
}

}  // namespace cairn
