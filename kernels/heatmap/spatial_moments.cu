// spatial_moments: mean and variance of a non-negative map, in one pass over it.
//
//   Launch    reduce, merge the slices (over_pixels.h); backward one pass that only writes.
//   Traffic   4 B an element each way, about 10 flops: bandwidth-bound; floor = 4 B * count /
//             bandwidth.
//   Numbers   moments in pixels about the pixel of the largest value so far, as in soft_argmax.cu.
//   Repeats   bitwise: fixed tree over slots, slices in order.
#include "kernels/heatmap/spatial_moments.h"

#include "kernels/heatmap/zeta_moments_device.h"

namespace cairn::CAIRN_NS {
namespace {

struct SpatialMoments : ZetaMoments {
  struct Constants {};
  const float* map;

  CAIRN_DEVICE_MEMBER Constants load(int64_t) const { return {}; }
  CAIRN_DEVICE_MEMBER void add(State& s, Constants, int x, int y, int64_t at) const {
    add_value(s, x, y, map[at]);
  }
};

struct SpatialMomentsGradient : ZetaGradient {
  float* dmap;

  CAIRN_DEVICE_MEMBER void operator()(const Constants& c, int x, int y, int64_t at) const {
    dmap[at] = gradient(c, x, y);
  }
};

}  // namespace

void spatial_moments(const Tensor& map, Tensor& point, Tensor& variance, Tensor& zeta) {
  const PixelGrid grid(map.shape());
  reduce_pixels("spatial_moments", grid,
                SpatialMoments{ZetaMoments(grid, point, variance, zeta), map.data<float>()},
                map.device());
}

void spatial_moments_backward(const Tensor& point, const Tensor& variance, const Tensor& zeta,
                              const Tensor& dpoint, const Tensor& dvariance, Tensor& dmap) {
  const PixelGrid grid(dmap.shape());
  each_pixel("spatial_moments_backward", grid,
             SpatialMomentsGradient{ZetaGradient(grid, point, variance, zeta, dpoint, dvariance),
                                    dmap.data<float>()});
}

}  // namespace cairn::CAIRN_NS
