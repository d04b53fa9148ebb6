// landmark_maps: softmax over the channels of a pixel and the moments of its maps, in one pass.
//
//   Launch    a group of lanes (lane_group.h) takes a pixel, lane l its channels l and l + 32, so
//             that a warp reads contiguous memory; a block of 256 threads has a slice of an image's
//             pixels. Sums meet as in over_pixels.h. Backward the same walk without sums.
//   Traffic   forward 8 B, one exponential and about 25 FLOPs an element; backward 12 B (8 B
//             without dmaps) and 20 FLOPs. Bandwidth-bound; floor = 8 B (12 B) * count / bandwidth.
//             Of 9 or 11 channels a group has 16 lanes: 5 or 7 idle.
//   Numbers   float32; moments in pixels about the pixel of the largest value so far, as in
//             soft_argmax.cu.
//   Repeats   bitwise: butterfly in a group, fixed tree over slots, slices in order.
#include "kernels/heatmap/landmark_maps.h"

#include "kernels/heatmap/zeta_moments_device.h"
#include "kernels/lane_group.h"

namespace cairn::CAIRN_NS {
namespace {

// The moments of all channels but the background.
struct LandmarkMoments : ZetaMoments {
  int channels;

  CAIRN_DEVICE_MEMBER void finish(int64_t map, const State& m) const {
    if (map % channels < channels - 1)
      ZetaMoments::finish(map / channels * (channels - 1) + map % channels, m);
  }
};

// The channels of a lane are share.channel + 32 i.
template <int per_lane>
CAIRN_KERNEL void landmark_maps_kernel(PixelGrid g, LandmarkMoments op, const float* z, float* maps,
                                       PivotedMoments* of_slices) {
  const PixelShare share = pixel_share(g);
  PivotedMoments state[per_lane];
#pragma unroll
  for (int i = 0; i < per_lane; ++i) state[i] = op.none();
  PixelWalk pixel(g, share);
  for (int base = share.begin; base < share.end; base += g.slots, pixel.next(g)) {
    const bool inside = pixel.u < share.end;
    float value[per_lane], top = -INFINITY, sum = 0;
#pragma unroll
    for (int i = 0; i < per_lane; ++i) {
      value[i] = inside && share.channel + 32 * i < g.channels ? z[pixel.at + 32 * i] : -INFINITY;
      top = fmaxf(top, value[i]);
    }
    top = group_max(top, g.lanes);
#pragma unroll
    for (int i = 0; i < per_lane; ++i) sum += value[i] = expf(value[i] - top);
    const float scale = 1 / group_sum(sum, g.lanes);
    if (!inside) continue;
#pragma unroll
    for (int i = 0; i < per_lane; ++i) {
      if (share.channel + 32 * i >= g.channels) continue;
      maps[pixel.at + 32 * i] = value[i] *= scale;
      op.add_value(state[i], pixel.x, pixel.y, value[i]);
    }
  }
#pragma unroll
  for (int i = 0; i < per_lane; ++i) {
    merge_slots(g, op, share.slot, state[i]);
    if (share.slot == 0 && share.channel + 32 * i < g.channels)
      of_slices[(share.image * g.slices + share.slice) * g.channels + share.channel + 32 * i] =
          state[i];
  }
}

template <int per_lane>
CAIRN_KERNEL void landmark_maps_backward_kernel(PixelGrid g, ZetaGradient moments,
                                                const float* maps, const float* dmaps, float* dz) {
  const PixelShare share = pixel_share(g);
  ZetaGradient::Constants constants[per_lane];
#pragma unroll
  for (int i = 0; i < per_lane; ++i) {
    const int channel = share.channel + 32 * i;
    constants[i] = channel < g.channels - 1 ? moments.load(share.image * (g.channels - 1) + channel)
                                            : ZetaGradient::Constants{};
  }
  PixelWalk pixel(g, share);
  for (int base = share.begin; base < share.end; base += g.slots, pixel.next(g)) {
    float value[per_lane], slope[per_lane], mean = 0;
#pragma unroll
    for (int i = 0; i < per_lane; ++i) {
      const int64_t at = pixel.at + 32 * i;
      const bool own = pixel.u < share.end && share.channel + 32 * i < g.channels;
      value[i] = own ? maps[at] : 0;
      slope[i] = own && dmaps ? dmaps[at] : 0;
      slope[i] += moments.gradient(constants[i], pixel.x, pixel.y);
      mean += value[i] * slope[i];
    }
    mean = group_sum(mean, g.lanes);
#pragma unroll
    for (int i = 0; i < per_lane; ++i)
      if (pixel.u < share.end && share.channel + 32 * i < g.channels)
        dz[pixel.at + 32 * i] = value[i] * (slope[i] - mean);
  }
}

PixelGrid grid_of(const Tensor& maps) { return {maps.shape(), lanes_for(maps.dim(3))}; }

}  // namespace

void landmark_maps(const Tensor& logits, Tensor& maps, Tensor& point, Tensor& variance,
                   Tensor& zeta) {
  const PixelGrid grid = grid_of(logits);
  const LandmarkMoments op{ZetaMoments(grid, point, variance, zeta), grid.channels};
  merge_slices("landmark_maps", grid, op, logits.device(), [&](PivotedMoments* of_slices) {
    launch("landmark_maps", grid.channels <= 32 ? landmark_maps_kernel<1> : landmark_maps_kernel<2>,
           grid.blocks(), PixelGrid::threads, 0, grid, op, logits.data<float>(), maps.data<float>(),
           of_slices);
  });
}

void landmark_maps_backward(const Tensor& maps, const Tensor& point, const Tensor& variance,
                            const Tensor& zeta, const Tensor& dmaps, const Tensor& dpoint,
                            const Tensor& dvariance, Tensor& dlogits) {
  const PixelGrid grid = grid_of(maps);
  launch("landmark_maps_backward",
         grid.channels <= 32 ? landmark_maps_backward_kernel<1> : landmark_maps_backward_kernel<2>,
         grid.blocks(), PixelGrid::threads, 0, grid,
         ZetaGradient(grid, point, variance, zeta, dpoint, dvariance), maps.data<float>(),
         dmaps.defined() ? dmaps.data<float>() : nullptr, dlogits.data<float>());
}

}  // namespace cairn::CAIRN_NS
