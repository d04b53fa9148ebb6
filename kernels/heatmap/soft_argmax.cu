// soft_argmax: mean and variance of the spatial softmax, in one pass over the logits.
//
//   Launch    reduce, merge the slices (over_pixels.h): a block has a slice of the pixels of up to
//             32 neighbouring channels, 256 threads, reads contiguous in the channels; backward one
//             pass of the same shape.
//   Traffic   forward 4 B and one exponential an element, backward 8 B and one. Bandwidth-bound;
//             floor = 4 B (8 B) * count / bandwidth, plus the merge: 32 B a map and slice.
//   Numbers   float32 all through. Moments are kept in whole pixels about the pixel of the largest
//             logit so far, where the weight is: a peak narrower than a pixel keeps its variance,
//             which about a fixed pivot would cancel away. A new maximum moves and scales the sums.
//   Repeats   bitwise: fixed tree over slots, slices in order.
#include "kernels/heatmap/soft_argmax.h"

#include "kernels/heatmap/pivoted_moments.h"

namespace cairn::CAIRN_NS {
namespace {

struct SoftArgmax {
  using State = PivotedMoments;
  struct Constants {};
  const float* z;
  float gain;
  int height, width;
  float *point, *variance, *stats;

  CAIRN_DEVICE_MEMBER Constants load(int64_t) const { return {}; }
  CAIRN_DEVICE_MEMBER State none() const { return no_moments(); }
  CAIRN_DEVICE_MEMBER void add(State& s, Constants, int x, int y, int64_t at) const {
    const float value = z[at];
    if (value > s.top) {
      move_pivot(s, x, y, value, expf(gain * (s.top - value)));
      s.s += 1;
    } else {
      add_weight(s, x, y, expf(gain * (value - s.top)));
    }
  }
  CAIRN_DEVICE_MEMBER void merge(State& a, const State& b) const {
    State lower = b;
    if (b.top > a.top) {
      lower = a;
      a = b;
    }
    move_pivot(lower, a.x, a.y, a.top, expf(gain * (lower.top - a.top)));
    add_moments(a, lower);
  }
  CAIRN_DEVICE_MEMBER void finish(int64_t map, const State& m) const {
    const float mean_x = m.sx / m.s, mean_y = m.sy / m.s;
    point[2 * map] = (float(m.x) + 0.5f + mean_x) / float(width);
    point[2 * map + 1] = (float(m.y) + 0.5f + mean_y) / float(height);
    variance[2 * map] = fmaxf(m.sxx / m.s - mean_x * mean_x, 0.f) / (float(width) * float(width));
    variance[2 * map + 1] =
        fmaxf(m.syy / m.s - mean_y * mean_y, 0.f) / (float(height) * float(height));
    stats[2 * map] = m.top;
    stats[2 * map + 1] = m.s;
  }
};

struct SoftArgmaxGradient {
  struct Constants {
    MomentSlope slope;
    float top, scale;
  };
  const float *z, *point, *variance, *stats, *dpoint, *dvariance;
  float gain, inverse_height, inverse_width;
  float* dz;

  CAIRN_DEVICE_MEMBER Constants load(int64_t map) const {
    return {load_slope(point, variance, dpoint, dvariance, map), stats[2 * map],
            gain / stats[2 * map + 1]};
  }
  CAIRN_DEVICE_MEMBER void operator()(const Constants& c, int x, int y, int64_t at) const {
    const float bracket =
        slope_at(c.slope, (float(x) + 0.5f) * inverse_width, (float(y) + 0.5f) * inverse_height);
    dz[at] = c.scale * expf(gain * (z[at] - c.top)) * bracket;
  }
};

}  // namespace

void soft_argmax(const Tensor& logits, double gain, Tensor& point, Tensor& variance,
                 Tensor& stats) {
  const PixelGrid grid(logits.shape());
  reduce_pixels("soft_argmax", grid,
                SoftArgmax{logits.data<float>(), float(gain), grid.height, grid.width,
                           point.data<float>(), variance.data<float>(), stats.data<float>()},
                logits.device());
}

void soft_argmax_backward(const Tensor& logits, const Tensor& point, const Tensor& variance,
                          const Tensor& stats, const Tensor& dpoint, const Tensor& dvariance,
                          double gain, Tensor& dlogits) {
  const PixelGrid grid(logits.shape());
  each_pixel("soft_argmax_backward", grid,
             SoftArgmaxGradient{logits.data<float>(), point.data<float>(), variance.data<float>(),
                                stats.data<float>(), dpoint.data<float>(), dvariance.data<float>(),
                                float(gain), 1 / float(grid.height), 1 / float(grid.width),
                                dlogits.data<float>()});
}

}  // namespace cairn::CAIRN_NS
