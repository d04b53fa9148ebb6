#pragma once
// First and second moments of a map in float32, about the pixel of its largest value so far; and
// the gradient of mean and variance. What soft_argmax.cu and zeta_moments_device.h have in common.
#include "kernels/heatmap/over_pixels.h"

namespace cairn::CAIRN_NS {

/// Sums of a weight w: w, w dx, w dy, w dx^2, w dy^2, with (dx, dy) in pixels from pixel (x, y),
/// which holds the value `top`.
struct PivotedMoments {
  float top, s, sx, sy, sxx, syy;
  int x, y;
};

CAIRN_DEVICE PivotedMoments no_moments() { return {-3.4e38f, 0, 0, 0, 0, 0, 0, 0}; }

CAIRN_DEVICE void add_weight(PivotedMoments& m, int x, int y, float w) {
  const float dx = float(x - m.x), dy = float(y - m.y);
  m.s += w;
  m.sx += w * dx;
  m.sy += w * dy;
  m.sxx += w * dx * dx;
  m.syy += w * dy * dy;
}

/// Takes (x, y) as the pivot and multiplies the weights by `scale`.
CAIRN_DEVICE void move_pivot(PivotedMoments& m, int x, int y, float top, float scale) {
  const float dx = float(m.x - x), dy = float(m.y - y);
  m.sxx = scale * (m.sxx + dx * (2 * m.sx + dx * m.s));
  m.syy = scale * (m.syy + dy * (2 * m.sy + dy * m.s));
  m.sx = scale * (m.sx + dx * m.s);
  m.sy = scale * (m.sy + dy * m.s);
  m.s *= scale;
  m.x = x;
  m.y = y;
  m.top = top;
}

/// Of the same pivot.
CAIRN_DEVICE void add_moments(PivotedMoments& a, const PivotedMoments& b) {
  a.s += b.s;
  a.sx += b.sx;
  a.sy += b.sy;
  a.sxx += b.sxx;
  a.syy += b.syy;
}

/// What the gradient needs of a map: the mean, the variance, and the slopes of both.
struct MomentSlope {
  float x, y, vx, vy, dx, dy, dvx, dvy;
};

CAIRN_DEVICE MomentSlope load_slope(const float* point, const float* variance, const float* dpoint,
                                    const float* dvariance, int64_t map) {
  const int64_t i = 2 * map;
  return {point[i],  point[i + 1],  variance[i],  variance[i + 1],
          dpoint[i], dpoint[i + 1], dvariance[i], dvariance[i + 1]};
}

/// dx (u-x) + dvx ((u-x)^2 - vx) + the same in y.
CAIRN_DEVICE float slope_at(const MomentSlope& m, float u, float v) {
  const float a = u - m.x, b = v - m.y;
  return m.dx * a + m.dvx * (a * a - m.vx) + m.dy * b + m.dvy * (b * b - m.vy);
}

}  // namespace cairn::CAIRN_NS
