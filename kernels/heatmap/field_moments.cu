// field_moments: mean and variance of a field of places, in one pass over the maps.
//
//   Launch    reduce, merge the slices (over_pixels.h); backward one pass that only writes.
//   Traffic   4 B an element each way and 8 B a pixel, about 10 flops an element: bandwidth-bound;
//             floor = 4 B * count / bandwidth. The maps of a pixel share its place.
//   Numbers   sums about the place of the middle pixel.
//   Repeats   bitwise: fixed tree over slots, slices in order.
#include "kernels/heatmap/field_moments.h"

#include "kernels/heatmap/over_pixels.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
struct FieldMoments {
  struct State {
    T x, y, square;
  };
  struct Constants {
    const T* field;  ///< of the image
    T x0, y0;        ///< the middle pixel's place
  };
  const T *p, *field;
  int height, width, channels;
  T *mean, *variance;

  CAIRN_DEVICE_MEMBER Constants load(int64_t map) const {
    const T* own = field + map / channels * height * width * 2;
    const T* middle = own + 2 * (height / 2 * width + width / 2);
    return {own, middle[0], middle[1]};
  }
  CAIRN_DEVICE_MEMBER State none() const { return {0, 0, 0}; }
  CAIRN_DEVICE_MEMBER void add(State& s, const Constants& c, int x, int y, int64_t at) const {
    const T* place = c.field + 2 * (y * width + x);
    const T dx = place[0] - c.x0, dy = place[1] - c.y0, weight = p[at];
    merge(s, {weight * dx, weight * dy, weight * (dx * dx + dy * dy)});
  }
  CAIRN_DEVICE_MEMBER void merge(State& a, const State& b) const {
    a.x += b.x;
    a.y += b.y;
    a.square += b.square;
  }
  CAIRN_DEVICE_MEMBER void finish(int64_t map, const State& s) const {
    const Constants c = load(map);
    mean[2 * map] = c.x0 + s.x;
    mean[2 * map + 1] = c.y0 + s.y;
    const T left = s.square - s.x * s.x - s.y * s.y;
    variance[map] = left > 0 ? left : T(0);
  }
};

template <class T>
struct FieldMomentsGradient {
  struct Constants {
    const T* field;  ///< of the image
    T mean[2], dmean[2], dvariance;
  };
  const T *field, *mean, *dmean, *dvariance;
  int height, width, channels;
  T* dp;

  CAIRN_DEVICE_MEMBER Constants load(int64_t map) const {
    return {field + map / channels * height * width * 2,
            {mean[2 * map], mean[2 * map + 1]},
            {dmean[2 * map], dmean[2 * map + 1]},
            dvariance[map]};
  }
  CAIRN_DEVICE_MEMBER void operator()(const Constants& c, int x, int y, int64_t at) const {
    dp[at] = moments_slope(c.field + 2 * (y * width + x), c.mean, c.dmean, c.dvariance);
  }
};

}  // namespace

void field_moments(const Tensor& p, const Tensor& field, Tensor& mean, Tensor& variance) {
  const PixelGrid g(p.shape());
  with_float(p.dtype(), [&](auto type) {
    using T = decltype(type);
    reduce_pixels("field_moments", g,
                  FieldMoments<T>{p.data<T>(), field.data<T>(), g.height, g.width, g.channels,
                                  mean.data<T>(), variance.data<T>()},
                  p.device());
  });
}

void field_moments_backward(const Tensor& field, const Tensor& mean, const Tensor& dmean,
                            const Tensor& dvariance, Tensor& dp) {
  const PixelGrid g(dp.shape());
  with_float(dp.dtype(), [&](auto type) {
    using T = decltype(type);
    each_pixel(
        "field_moments_backward", g,
        FieldMomentsGradient<T>{field.data<T>(), mean.data<T>(), dmean.data<T>(),
                                dvariance.data<T>(), g.height, g.width, g.channels, dp.data<T>()});
  });
}

}  // namespace cairn::CAIRN_NS
