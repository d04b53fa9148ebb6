#pragma once
// Mean and variance of a non-negative map, normalised by zeta (spatial_moments.h), in float32 on a
// device: what spatial_moments.cu and landmark_maps.cu have in common.
#include "kernels/heatmap/pivoted_moments.h"
#include "kernels/heatmap/spatial_moments.h"

namespace cairn::CAIRN_NS {

/// The part of an Op of over_pixels.h that follows once the value of an element is known.
struct ZetaMoments {
  using State = PivotedMoments;
  static constexpr float epsilon = float(spatial_moments_epsilon);
  int height, width;
  float *point, *variance, *zeta;

  ZetaMoments(const PixelGrid& g, Tensor& point_out, Tensor& variance_out, Tensor& zeta_out)
      : height(g.height),
        width(g.width),
        point(point_out.data<float>()),
        variance(variance_out.data<float>()),
        zeta(zeta_out.data<float>()) {}

  CAIRN_DEVICE_MEMBER State none() const { return no_moments(); }
  CAIRN_DEVICE_MEMBER void add_value(State& s, int x, int y, float value) const {
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
  CAIRN_DEVICE_MEMBER void finish(int64_t map, const State& m) const {
    const float z = m.s + epsilon;
    zeta[map] = z;
    moments(float(m.x) + 0.5f, m.s, m.sx, m.sxx, z, float(width), 2 * map);
    moments(float(m.y) + 0.5f, m.s, m.sy, m.syy, z, float(height), 2 * map + 1);
  }
  /// Along one axis; `from` is the pivot seen from the mean, without the cancellation.
  CAIRN_DEVICE_MEMBER void moments(float pivot, float s, float first, float second, float z,
                                   float size, int64_t out) const {
    const float from = (pivot * epsilon - first) / z;
    point[out] = (pivot * s + first) / z / size;
    variance[out] = fmaxf(second + from * (2 * first + from * s), 0.f) / z / (size * size);
  }
};

struct ZetaGradient {
  struct Constants {
    MomentSlope slope;
    float scale;
  };
  const float *point, *variance, *zeta, *dpoint, *dvariance;
  float inverse_height, inverse_width;

  ZetaGradient(const PixelGrid& g, const Tensor& at, const Tensor& var, const Tensor& sum,
               const Tensor& dat, const Tensor& dvar)
      : point(at.data<float>()),
        variance(var.data<float>()),
        zeta(sum.data<float>()),
        dpoint(dat.data<float>()),
        dvariance(dvar.data<float>()),
        inverse_height(1 / float(g.height)),
        inverse_width(1 / float(g.width)) {}

  CAIRN_DEVICE_MEMBER Constants load(int64_t map) const {
    Constants c{load_slope(point, variance, dpoint, dvariance, map), 1 / zeta[map]};
    const float rest = 2 * float(spatial_moments_epsilon) * c.scale;
    c.slope.dx -= rest * c.slope.dvx * c.slope.x;
    c.slope.dy -= rest * c.slope.dvy * c.slope.y;
    return c;
  }
  CAIRN_DEVICE_MEMBER float gradient(const Constants& c, int x, int y) const {
    return c.scale *
           slope_at(c.slope, (float(x) + 0.5f) * inverse_width, (float(y) + 0.5f) * inverse_height);
  }
};

}  // namespace cairn::CAIRN_NS
