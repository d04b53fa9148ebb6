// spatial_softmax: h_u = exp(gain (z_u - max)) / S over the pixels of each channel.
//
//   Launch    reduce (max, S) with a running maximum, merge the slices, then one pass that writes
//   h;
//             256 threads, see over_pixels.h. Backward: reduce sum dh h, merge, one pass.
//   Traffic   forward 12 B an element (z twice, h once), backward 20 B (h and dh twice, dz once);
//             two exponentials an element. Bandwidth-bound; floor = 8 B (12 B) * count / bandwidth,
//             which the first pass exceeds only by what falls out of the second-level cache.
//   Repeats   bitwise: fixed tree over slots, slices in order.
#include "kernels/heatmap/spatial_softmax.h"

#include "kernels/heatmap/over_pixels.h"

namespace cairn::CAIRN_NS {
namespace {

struct MaxAndSum {
  float max, sum;  ///< sum of exp(gain (z - max))
};

struct SoftmaxStats {
  using State = MaxAndSum;
  struct Constants {};
  const float* z;
  float gain;
  MaxAndSum* stats;  ///< [N,K]

  CAIRN_DEVICE_MEMBER Constants load(int64_t) const { return {}; }
  CAIRN_DEVICE_MEMBER State none() const { return {-3.4e38f, 0}; }
  CAIRN_DEVICE_MEMBER void add(State& s, Constants, int, int, int64_t at) const {
    merge(s, {z[at], 1});
  }
  CAIRN_DEVICE_MEMBER void merge(State& a, const State& b) const {
    const bool up = b.max > a.max;
    const float other = expf(gain * (up ? a.max - b.max : b.max - a.max));
    a.sum = up ? a.sum * other + b.sum : a.sum + b.sum * other;
    if (up) a.max = b.max;
  }
  CAIRN_DEVICE_MEMBER void finish(int64_t map, const State& s) const { stats[map] = s; }
};

struct Normalise {
  using Constants = MaxAndSum;  ///< the maximum and 1/S
  const float* z;
  float gain;
  const MaxAndSum* stats;
  float* h;

  CAIRN_DEVICE_MEMBER Constants load(int64_t map) const {
    return {stats[map].max, 1 / stats[map].sum};
  }
  CAIRN_DEVICE_MEMBER void operator()(const Constants& c, int, int, int64_t at) const {
    h[at] = expf(gain * (z[at] - c.max)) * c.sum;
  }
};

struct InnerProduct {
  using State = float;
  struct Constants {};
  const float *h, *dh;
  float* inner;  ///< [N,K]

  CAIRN_DEVICE_MEMBER Constants load(int64_t) const { return {}; }
  CAIRN_DEVICE_MEMBER float none() const { return 0; }
  CAIRN_DEVICE_MEMBER void add(float& s, Constants, int, int, int64_t at) const {
    s += h[at] * dh[at];
  }
  CAIRN_DEVICE_MEMBER void merge(float& a, float b) const { a += b; }
  CAIRN_DEVICE_MEMBER void finish(int64_t map, float s) const { inner[map] = s; }
};

struct SoftmaxGradient {
  using Constants = float;
  const float *h, *dh;
  float gain;
  const float* inner;
  float* dz;

  CAIRN_DEVICE_MEMBER float load(int64_t map) const { return inner[map]; }
  CAIRN_DEVICE_MEMBER void operator()(float mean, int, int, int64_t at) const {
    dz[at] = gain * h[at] * (dh[at] - mean);
  }
};

}  // namespace

void spatial_softmax(const Tensor& z, double gain, Tensor& h) {
  const PixelGrid grid(z.shape());
  Tensor memory = z.empty_like({grid.maps(), 2});
  auto* stats = reinterpret_cast<MaxAndSum*>(memory.data<float>());
  reduce_pixels("spatial_softmax", grid, SoftmaxStats{z.data<float>(), float(gain), stats},
                z.device());
  each_pixel("spatial_softmax", grid,
             Normalise{z.data<float>(), float(gain), stats, h.data<float>()});
}

void spatial_softmax_backward(const Tensor& h, const Tensor& dh, double gain, Tensor& dz) {
  const PixelGrid grid(h.shape());
  Tensor inner = h.empty_like({grid.maps()});
  reduce_pixels("spatial_softmax_backward", grid,
                InnerProduct{h.data<float>(), dh.data<float>(), inner.data<float>()}, h.device());
  each_pixel("spatial_softmax_backward", grid,
             SoftmaxGradient{h.data<float>(), dh.data<float>(), float(gain), inner.data<float>(),
                             dz.data<float>()});
}

}  // namespace cairn::CAIRN_NS
