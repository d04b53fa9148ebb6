// diversity: forward and backward.
//
//   Launch    a group of up to 32 lanes takes a pixel (lane_group.h), blocks of 256 threads; then
//             one block adds up the pixels.
//   Traffic   forward 4 B an element and 12 B a pixel, backward 8 B an element, whose second look
//             comes from the first-level cache: bandwidth-bound; floor = 4 B (8 B) * count /
//             bandwidth.
//   Work      linear: a comparison an element; quadratic: 3 FLOPs, backward as many.
//   Repeats   bitwise: fixed butterfly over the lanes, every sum has a fixed order.
#include "kernels/loss/diversity.h"

#include "kernels/lane_group.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int threads = 256;

template <class T>
CAIRN_DEVICE LargestChannel<T> of_lane(const LargestChannel<T>& s, int distance) {
  return {shuffle_xor(full_warp, s.largest, distance), shuffle_xor(full_warp, s.channel, distance)};
}
template <class T>
CAIRN_DEVICE ChannelProducts<T> of_lane(const ChannelProducts<T>& s, int distance) {
  return {shuffle_xor(full_warp, s.sum, distance), shuffle_xor(full_warp, s.products, distance)};
}

/// Of the pixel that starts at p; all lanes of the group get it.
template <class State, class T>
CAIRN_DEVICE State of_pixel(State s, const T* p, int channels, int lane, int lanes) {
  for (int c = lane; c < channels; c += lanes) s.add(p[c], c);
  for (int d = lanes / 2; d > 0; d /= 2) s.merge(of_lane(s, d));
  return s;
}

template <class State, class T>
CAIRN_KERNEL void pixel_values_kernel(State start, const T* p, int64_t pixels, int channels,
                                      int lanes, T* values) {
  for (RowWalk walk(lanes); walk.any(pixels); walk.next()) {
    const int64_t u = walk.row(pixels);
    const State s = of_pixel(start, p + u * channels, channels, walk.lane, lanes);
    if (walk.own(pixels) && walk.lane == 0) values[u] = s.value();
  }
}

template <class State, class T>
CAIRN_KERNEL void diversity_loss_kernel(State start, const T* values, int64_t pixels,
                                        int64_t images, int channels, T* loss) {
  double sum = 0;  // few pixels to a thread, but hundreds of thousands in all
  for (int64_t u = threadIdx.x; u < pixels; u += threads) sum += double(values[u]);
  sum = block_sum<threads>(sum);
  if (threadIdx.x == 0) loss[0] = T(images == 0 ? 0 : start.loss(sum, images, channels));
}

template <class State, class T>
CAIRN_KERNEL void diversity_backward_kernel(State start, const T* p, const T* dloss, double factor,
                                            int64_t pixels, int channels, int lanes, T* dp) {
  const T scale = T(dloss[0] * factor);
  for (RowWalk walk(lanes); walk.any(pixels); walk.next()) {
    const int64_t at = walk.row(pixels) * channels;
    const State s = of_pixel(start, p + at, channels, walk.lane, lanes);
    if (!walk.own(pixels)) continue;
    for (int c = walk.lane; c < channels; c += lanes) dp[at + c] = scale * s.slope(p[at + c], c);
  }
}

}  // namespace

void diversity(const Tensor& p, DiversityForm form, Tensor& loss) {
  const int channels = int(p.dim(3)), lanes = lanes_for(channels);
  const int64_t pixels = p.dim(0) * p.dim(1) * p.dim(2);
  Tensor values = p.empty_like({pixels});
  with_float(p.dtype(), [&](auto type) {
    using T = decltype(type);
    with_form<T>(form, [&](auto start) {
      using State = decltype(start);
      launch("diversity", pixel_values_kernel<State, T>, blocks_for(pixels * lanes, threads),
             threads, 0, start, p.data<T>(), pixels, channels, lanes, values.data<T>());
      launch("diversity", diversity_loss_kernel<State, T>, Dim3(1), threads, 0, start,
             values.data<T>(), pixels, p.dim(0), channels, loss.data<T>());
    });
  });
}

void diversity_backward(const Tensor& p, DiversityForm form, const Tensor& dloss, Tensor& dp) {
  const int channels = int(p.dim(3)), lanes = lanes_for(channels);
  const int64_t pixels = p.dim(0) * p.dim(1) * p.dim(2);
  with_float(p.dtype(), [&](auto type) {
    using T = decltype(type);
    with_form<T>(form, [&](auto start) {
      using State = decltype(start);
      launch("diversity_backward", diversity_backward_kernel<State, T>,
             blocks_for(pixels * lanes, threads), threads, 0, start, p.data<T>(), dloss.data<T>(),
             start.factor(p.dim(0), channels), pixels, channels, lanes, dp.data<T>());
    });
  });
}

}  // namespace cairn::CAIRN_NS
