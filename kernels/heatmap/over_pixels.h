#pragma once
// How the device kernels of heatmaps share an NHWC map [N,H,W,K] in which every channel is reduced
// over its pixels. Included by .cu files only.
//
// A block takes a slice of the pixels of one image and up to 32 neighbouring channels. Its threads
// are slots x lanes: neighbours hold neighbouring channels of one pixel and then of the next, so a
// warp reads contiguous memory whatever K is (all of it if K <= 32); a slot strides over pixels.
// The states of the slots meet in shared memory in a fixed tree, those of the slices in a second,
// small kernel in order: the division follows from the shape alone, and so do the bits.
#include "kernels/device.h"
#include "runtime/tensor.h"

namespace cairn::CAIRN_NS {

struct PixelGrid {
  static constexpr int threads = 256;
  int64_t images;
  int height, width, channels;
  int lanes;   ///< neighbouring channels of a block
  int groups;  ///< of lanes, that cover the channels
  int slots;   ///< pixels that a block takes at a time
  int slices;  ///< of an image; 512 blocks in all (four for each of 128 processors) if there is
               ///< work
  int slice;   ///< pixels of a slice

  explicit PixelGrid(const Shape& nhwc)
      : images(nhwc[0]), height(int(nhwc[1])), width(int(nhwc[2])), channels(int(nhwc[3])) {
    groups = std::max((channels + 31) / 32, 1);
    lanes = std::max((channels + groups - 1) / groups, 1);
    cut();
  }
  /// All channels of a pixel in one group of lanes (lane_group.h), which take one each or more.
  PixelGrid(const Shape& nhwc, int group_lanes)
      : images(nhwc[0]),
        height(int(nhwc[1])),
        width(int(nhwc[2])),
        channels(int(nhwc[3])),
        lanes(group_lanes),
        groups(1) {
    cut();
  }
  Dim3 blocks() const { return Dim3(channels == 0 ? 0 : images * groups * slices); }
  int64_t maps() const { return images * channels; }

 private:
  void cut() {
    const int pixels = height * width;
    slots = threads / lanes;
    const int64_t wanted = 512 / std::max<int64_t>(images * groups, 1) + 1;
    slices = int(std::clamp<int64_t>(wanted, 1, std::max(pixels / (8 * slots), 1)));
    slice = (pixels + slices - 1) / slices;
  }
};

/// What a thread has of the map: pixels begin + slot, then every slots-th before end.
struct PixelShare {
  int64_t image;
  int slice, channel, slot, begin, end;
  bool active;
};

CAIRN_DEVICE PixelShare pixel_share(const PixelGrid& g) {
  PixelShare s;
  int64_t block = blockIdx.x;
  s.slice = int(block % g.slices);
  block /= g.slices;
  s.image = block / g.groups;
  s.slot = int(threadIdx.x) / g.lanes;
  s.channel = int(block % g.groups) * g.lanes + int(threadIdx.x) % g.lanes;
  s.begin = s.slice * g.slice;
  s.end = min(s.begin + g.slice, g.height * g.width);
  s.active = s.slot < g.slots && s.channel < g.channels;
  return s;
}

/// Where a thread is among its pixels: u = y * width + x, and the offset of its element.
struct PixelWalk {
  int u, x, y, step_x, step_y;
  int64_t at;

  CAIRN_DEVICE_MEMBER PixelWalk(const PixelGrid& g, const PixelShare& s) {
    u = s.begin + s.slot;
    x = u % g.width;
    y = u / g.width;
    step_x = g.slots % g.width;
    step_y = g.slots / g.width;
    at = (s.image * g.height * g.width + u) * g.channels + s.channel;
  }
  CAIRN_DEVICE_MEMBER void next(const PixelGrid& g) {
    u += g.slots;
    at += int64_t(g.slots) * g.channels;
    x += step_x;
    y += step_y;
    if (x >= g.width) {
      x -= g.width;
      ++y;
    }
  }
};

/// visit(x, y, offset of the element) for each of the thread's pixels.
template <class Visit>
CAIRN_DEVICE void visit_pixels(const PixelGrid& g, const PixelShare& s, Visit&& visit) {
  if (!s.active) return;
#pragma unroll 4
  for (PixelWalk p(g, s); p.u < s.end; p.next(g)) visit(p.x, p.y, p.at);
}

// ---- elementwise, with constants per map ----

/// Op has `Constants load(int64_t map) const`, map = image * K + channel, and
/// `void operator()(const Constants&, int x, int y, int64_t at) const`.
template <class Op>
CAIRN_KERNEL void each_pixel_kernel(PixelGrid g, Op op) {
  const PixelShare share = pixel_share(g);
  if (!share.active) return;
  const auto constants = op.load(share.image * g.channels + share.channel);
  visit_pixels(g, share, [&](int x, int y, int64_t at) { op(constants, x, y, at); });
}

template <class Op>
void each_pixel(const char* name, const PixelGrid& g, const Op& op) {
  launch(name, each_pixel_kernel<Op>, g.blocks(), PixelGrid::threads, 0, g, op);
}

// ---- one result per map ----

template <class State>
struct SlotStates {
  State of[PixelGrid::threads];
};

/// The states of a lane's slots meet: slot 0 gets the total. All threads must call it.
template <class Op>
CAIRN_DEVICE void merge_slots(const PixelGrid& g, const Op& op, int slot, typename Op::State& state,
                              Site site = Site::current()) {
  auto& states = shared<SlotStates<typename Op::State>>();
  states.of[threadIdx.x] = state;
  sync_threads(site);
  int half = 1;
  while (2 * half < g.slots) half *= 2;
  for (; half > 0; half /= 2) {
    if (slot < half && slot + half < g.slots) {
      op.merge(state, states.of[threadIdx.x + half * g.lanes]);
      states.of[threadIdx.x] = state;
    }
    sync_threads(site);
  }
}

/// Op has, besides `load`:
///   State                                      trivially copyable and constructible
///   State none() const
///   void add(State&, const Constants&, int x, int y, int64_t at) const
///   void merge(State&, const State&) const
///   void finish(int64_t map, const State&) const
template <class Op>
CAIRN_KERNEL void reduce_slices_kernel(PixelGrid g, Op op, typename Op::State* of_slices) {
  const PixelShare share = pixel_share(g);
  auto state = op.none();
  if (share.active) {
    const auto constants = op.load(share.image * g.channels + share.channel);
    visit_pixels(g, share, [&](int x, int y, int64_t at) { op.add(state, constants, x, y, at); });
  }
  merge_slots(g, op, share.slot, state);
  if (share.active && share.slot == 0)
    of_slices[(share.image * g.slices + share.slice) * g.channels + share.channel] = state;
}

template <class Op>
CAIRN_KERNEL void merge_slices_kernel(PixelGrid g, Op op, const typename Op::State* of_slices) {
  for (int64_t map = global_thread(); map < g.images * g.channels; map += global_threads()) {
    const auto* own = of_slices + map / g.channels * g.slices * g.channels + map % g.channels;
    auto state = own[0];
    for (int slice = 1; slice < g.slices; ++slice)
      op.merge(state, own[int64_t(slice) * g.channels]);
    op.finish(map, state);
  }
}

/// Calls reduce_slices(states), which launches a kernel that writes the states [images, slices,
/// channels], and then finish once for each map.
template <class Op, class ReduceSlices>
void merge_slices(const char* name, const PixelGrid& g, const Op& op, Device device,
                  ReduceSlices&& reduce_slices) {
  using State = typename Op::State;
  Tensor memory = Tensor::empty({g.maps() * g.slices * int64_t(sizeof(State))}, DType::u8, device);
  State* of_slices = static_cast<State*>(memory.raw());
  reduce_slices(of_slices);
  launch(name, merge_slices_kernel<Op>, blocks_for(g.maps(), 64), 64, 0, g, op,
         static_cast<const State*>(of_slices));
}

/// Reduces each map and calls finish once for each.
template <class Op>
void reduce_pixels(const char* name, const PixelGrid& g, const Op& op, Device device) {
  merge_slices(name, g, op, device, [&](typename Op::State* of_slices) {
    launch(name, reduce_slices_kernel<Op>, g.blocks(), PixelGrid::threads, 0, g, op, of_slices);
  });
}

}  // namespace cairn::CAIRN_NS
