// The ladder of spatial_softmax, for n elements in maps of P pixels and K channels.
//
//   three passes      the maximum; exponentials, stored, and their sum; the division. 20 B an
//                     element. A block has one map, so that neighbouring threads read floats that
//                     lie K apart: a warp fetches 8 times what it asks for where K >= 8.
//   one pass, online  a running maximum rescales the sum when it rises (Milakov, Gimelshein,
//                     "Online normalizer calculation for softmax", 2018): z is read twice, the
//                     second time from a cache at best, and h written once.
//   coalesced         neighbouring threads hold neighbouring channels: a block has up to 32
//                     channels of an image, and every sector that is fetched is used.
//   sliced            the op: an image is cut into slices of pixels until there are 512 blocks,
//                     whose results a small launch merges. z is read twice from memory: 12 B.
//
//   Launch    256 threads a block; see each kernel
//   Traffic   as each step claims, below
//   Repeats   bitwise: fixed trees, slices in order
#include "kernels/heatmap/spatial_softmax.h"

#include "kernels/ladder/claims.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int block = 256;
constexpr float lowest = -3.4e38f;

/// A block's map: element u is pixel u, `channels` elements after the one before.
struct OneMap {
  int64_t first;
  CAIRN_DEVICE_MEMBER OneMap(int pixels, int channels)
      : first(int64_t(blockIdx.x) / channels * pixels * channels + blockIdx.x % channels) {}
};

// ---- three passes ----

CAIRN_KERNEL void top_kernel(const float* z, int pixels, int channels, float* top) {
  const OneMap map(pixels, channels);
  float largest = lowest;
  for (int u = int(threadIdx.x); u < pixels; u += block)
    largest = fmaxf(largest, z[map.first + int64_t(u) * channels]);
  largest = block_max<block>(largest);
  if (threadIdx.x == 0) top[blockIdx.x] = largest;
}

CAIRN_KERNEL void exponentials_kernel(const float* z, const float* top, int pixels, int channels,
                                      float gain, float* h, float* sum) {
  const OneMap map(pixels, channels);
  const float largest = top[blockIdx.x];
  float own = 0;
  for (int u = int(threadIdx.x); u < pixels; u += block) {
    const int64_t at = map.first + int64_t(u) * channels;
    const float e = expf(gain * (z[at] - largest));
    h[at] = e;
    own += e;
  }
  own = block_sum<block>(own);
  if (threadIdx.x == 0) sum[blockIdx.x] = own;
}

CAIRN_KERNEL void divide_kernel(const float* sum, int pixels, int channels, float* h) {
  const OneMap map(pixels, channels);
  const float scale = 1 / sum[blockIdx.x];
  for (int u = int(threadIdx.x); u < pixels; u += block)
    h[map.first + int64_t(u) * channels] *= scale;
}

// ---- online ----

/// The maximum so far, and the sum of exp(gain (z - max)).
struct Running {
  float max, sum;
};

CAIRN_DEVICE void merge(Running& a, const Running& b, float gain) {
  const float top = fmaxf(a.max, b.max);
  a = {top, a.sum * expf(gain * (a.max - top)) + b.sum * expf(gain * (b.max - top))};
}

CAIRN_KERNEL void online_kernel(const float* z, int pixels, int channels, float gain, float* h) {
  const OneMap map(pixels, channels);
  Running own{lowest, 0};
  for (int u = int(threadIdx.x); u < pixels; u += block)
    merge(own, {z[map.first + int64_t(u) * channels], 1}, gain);
  const float top = block_max<block>(own.max);
  const float scale = 1 / block_sum<block>(own.sum * expf(gain * (own.max - top)));
  for (int u = int(threadIdx.x); u < pixels; u += block) {
    const int64_t at = map.first + int64_t(u) * channels;
    h[at] = expf(gain * (z[at] - top)) * scale;
  }
}

// ---- coalesced ----

struct Merging {
  using State = Running;
  float gain;
  CAIRN_DEVICE_MEMBER void merge(Running& a, const Running& b) const {
    CAIRN_NS::merge(a, b, gain);
  }
};

CAIRN_KERNEL void coalesced_kernel(PixelGrid g, const float* z, float gain, float* h) {
  const PixelShare share = pixel_share(g);
  Running own{lowest, 0};
  visit_pixels(g, share, [&](int, int, int64_t at) { merge(own, {z[at], 1}, gain); });
  merge_slots(g, Merging{gain}, share.slot, own);
  const Running all = shared<SlotStates<Running>>().of[int(threadIdx.x) % g.lanes];
  const float scale = 1 / all.sum;
  visit_pixels(g, share,
               [&](int, int, int64_t at) { h[at] = expf(gain * (z[at] - all.max)) * scale; });
}

}  // namespace

Ladder spatial_softmax_ladder(const Tensor& z, double gain, Tensor& h) {
  const PixelGrid sliced(z.shape());
  PixelGrid whole = sliced;  // an image to a block and group of channels
  whole.slices = 1;
  whole.slice = whole.height * whole.width;

  const int pixels = whole.slice, K = whole.channels;
  const int64_t maps = whole.maps();
  const uint64_t per_map = 4 * uint64_t(maps), n = 4 * uint64_t(z.count());
  const double elements = double(z.count()), exps = exponential * elements,
               wasted = sector_waste(K) * double(n);
  const PixelClaims claims{sliced};
  constexpr uint64_t pair = sizeof(Running);

  const auto three_passes = [=]() mutable {
    Tensor top = z.empty_like({maps}), sum = top.empty_like();
    launch("three passes: top", top_kernel, Dim3(maps), block, 0, z.data<float>(), pixels, K,
           top.data<float>());
    launch("three passes: exponentials", exponentials_kernel, Dim3(maps), block, 0, z.data<float>(),
           top.data<float>(), pixels, K, float(gain), h.data<float>(), sum.data<float>());
    launch("three passes: divide", divide_kernel, Dim3(maps), block, 0, sum.data<float>(), pixels,
           K, h.data<float>());
  };
  const auto online = [=]() mutable {
    launch("online", online_kernel, Dim3(maps), block, 0, z.data<float>(), pixels, K, float(gain),
           h.data<float>());
  };
  const auto coalesced = [=]() mutable {
    launch("coalesced", coalesced_kernel, whole.blocks(), PixelGrid::threads, 0, whole,
           z.data<float>(), float(gain), h.data<float>());
  };
  const auto op = [=]() mutable { CAIRN_NS::spatial_softmax(z, gain, h); };

  // Of a launch: bytes loaded, stored, and distinct ones; flops, blocks, bytes through the cache.
  return {{"three passes",
           "a maximum, a sum of stored exponentials, a division",
           {{{n, per_map, n, per_map}, elements, maps, wasted},
            {{n + block * per_map, n + per_map, n + per_map, n + per_map}, exps, maps, 2 * wasted},
            {{n + block * per_map, n, n + per_map, n}, elements, maps, 2 * wasted}},
           2 * per_map,
           three_passes},
          {"one pass, online",
           "a running maximum that rescales the sum: nothing is stored between",
           {{{2 * n, n, n, n}, 3 * exps, maps, 3 * wasted}},
           0,
           online},
          {"coalesced",
           "neighbouring threads hold neighbouring channels",
           {{{2 * n, n, n, n}, 3 * exps, whole.blocks().count(), 3 * double(n)}},
           0,
           coalesced},
          {"sliced", "slices of an image on blocks of their own: enough of them for the machine",
           joined({claims.reduce(4, 0, pair, pair, 3 * exponential),
                   {claims.each_pixel(4, 4, pair, exponential)}}),
           pair * (claims.states() + claims.maps()), op,
           "[16,64,64,16], which fits the second-level cache: 0.0216 ms, 12 % of the bandwidth "
           "limit (H200, 2026-11-20); larger shapes not measured yet"}};
}

}  // namespace cairn::CAIRN_NS
