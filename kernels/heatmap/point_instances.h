#pragma once
// The annotated instances of points [N,M,K,2], for kernels that draw maps [N,H,W,K] from them with
// each_pixel() (over_pixels.h). Included by .cu files only.
#include "kernels/device.h"

namespace cairn::CAIRN_NS {

struct PointInstances {
  using Constants = int64_t;  ///< the first instance of a map's point
  const float* points;
  const uint8_t* visible;
  int instances, channels;

  CAIRN_DEVICE_MEMBER int64_t load(int64_t map) const {
    return map / channels * instances * channels + map % channels;
  }
};

}  // namespace cairn::CAIRN_NS
