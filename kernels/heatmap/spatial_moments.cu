// spatial_moments: mean and variance of a non-negative map, in one pass over it.
//
//   Launch    reduce, merge the slices (over_pixels.h); backward one pass that only writes.
//   Traffic   4 B an element each way, about 10 flops: bandwidth-bound; floor = 4 B * count /
//             bandwidth.
//   Numbers   moments in pixels about the pixel of the largest value so far, as in soft_argmax.cu.
//   Repeats   bitwise: fixed tree over slots, slices in order.
#include "kernels/heatmap/spatial_moments.h"

#include "kernels/heatmap/pivoted_moments.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr float epsilon = float(spatial_moments_epsilon);

struct SpatialMoments {
  using State = PivotedMoments;
  struct Constants {};
  const float* map;
  int height, width;
  float *point, *variance, *zeta;

  CAIRN_DEVICE_MEMBER Constants load(int64_t) const { return {}; }
  CAIRN_DEVICE_MEMBER State none() const { return no_moments(); }
  CAIRN_DEVICE_MEMBER void add(State& s, Constants, int x, int y, int64_t at) const {
    const float value = map[at];
    if (value > s.top) move_pivot(s, x, y, value, 1);
    add_weight(s, x, y, value);
  }
  CAIRN_DEVICE_MEMBER void merge(State& a, const State& b) const {
    State lower = b;
    if (b.top > a.top) {
      lower = a;
      a = b;
    }
    move_pivot(lower, a.x, a.y, a.top, 1);
    add_moments(a, lower);
  }
  CAIRN_DEVICE_MEMBER void finish(int64_t at, const State& m) const {
    const float z = m.s + epsilon;
    zeta[at] = z;
    moments(float(m.x) + 0.5f, m.s, m.sx, m.sxx, z, float(width), 2 * at);
    moments(float(m.y) + 0.5f, m.s, m.sy, m.syy, z, float(height), 2 * at + 1);
  }
  /// Along one axis; `from` is the pivot seen from the mean, without the cancellation.
  CAIRN_DEVICE_MEMBER void moments(float pivot, float s, float first, float second, float z,
                                   float size, int64_t out) const {
    const float from = (pivot * epsilon - first) / z;
    point[out] = (pivot * s + first) / z / size;
    variance[out] = fmaxf(second + from * (2 * first + from * s), 0.f) / z / (size * size);
  }
};

struct SpatialMomentsGradient {
  struct Constants {
    MomentSlope slope;
    float scale;
  };
  const float *point, *variance, *zeta, *dpoint, *dvariance;
  float inverse_height, inverse_width;
  float* dmap;

  CAIRN_DEVICE_MEMBER Constants load(int64_t map) const {
    Constants c{load_slope(point, variance, dpoint, dvariance, map), 1 / zeta[map]};
    c.slope.dx -= 2 * c.slope.dvx * c.slope.x * epsilon * c.scale;
    c.slope.dy -= 2 * c.slope.dvy * c.slope.y * epsilon * c.scale;
    return c;
  }
  CAIRN_DEVICE_MEMBER void operator()(const Constants& c, int x, int y, int64_t at) const {
    dmap[at] = c.scale * slope_at(c.slope, (float(x) + 0.5f) * inverse_width,
                                  (float(y) + 0.5f) * inverse_height);
  }
};

}  // namespace

void spatial_moments(const Tensor& map, Tensor& point, Tensor& variance, Tensor& zeta) {
  const PixelGrid grid(map.shape());
  reduce_pixels("spatial_moments", grid,
                SpatialMoments{map.data<float>(), grid.height, grid.width, point.data<float>(),
                               variance.data<float>(), zeta.data<float>()},
                map.device());
}

void spatial_moments_backward(const Tensor& point, const Tensor& variance, const Tensor& zeta,
                              const Tensor& dpoint, const Tensor& dvariance, Tensor& dmap) {
  const PixelGrid grid(dmap.shape());
  each_pixel(
      "spatial_moments_backward", grid,
      SpatialMomentsGradient{point.data<float>(), variance.data<float>(), zeta.data<float>(),
                             dpoint.data<float>(), dvariance.data<float>(), 1 / float(grid.height),
                             1 / float(grid.width), dmap.data<float>()});
}

}  // namespace cairn::CAIRN_NS
