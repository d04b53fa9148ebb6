// softmax: over the last dimension, forward and backward.
//
//   Launch    one warp per row, 8 rows per block, grid-stride.
//   Traffic   forward 8 B, backward 12 B per element from memory (a row is read again, from the
//             cache): bandwidth-bound; floor = that * count / bandwidth. An exp per element.
//   Repeats   bitwise: every sum has a fixed order.
#include "kernels/loss/softmax.h"

#include <cmath>

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
CAIRN_KERNEL void softmax_kernel(const T* x, int64_t rows, int64_t C, T* y) {
  for (int64_t r = global_thread() / 32; r < rows; r += global_threads() / 32) {
    const T* from = x + r * C;
    T* to = y + r * C;
    T top = -INFINITY, sum = 0;
    for (int64_t c = lane_index(); c < C; c += 32) top = std::fmax(top, from[c]);
    top = warp_max(top);
    for (int64_t c = lane_index(); c < C; c += 32) sum += to[c] = std::exp(from[c] - top);
    const T share = 1 / warp_sum(sum);
    for (int64_t c = lane_index(); c < C; c += 32) to[c] *= share;
  }
}

template <class T>
CAIRN_KERNEL void softmax_backward_kernel(const T* y, const T* dy, int64_t rows, int64_t C, T* dx) {
  for (int64_t r = global_thread() / 32; r < rows; r += global_threads() / 32) {
    const T *yr = y + r * C, *dr = dy + r * C;
    T dot = 0;
    for (int64_t c = lane_index(); c < C; c += 32) dot += yr[c] * dr[c];
    dot = warp_sum(dot);
    for (int64_t c = lane_index(); c < C; c += 32) dx[r * C + c] = yr[c] * (dr[c] - dot);
  }
}

}  // namespace

void softmax(const Tensor& x, Tensor& y) {
  if (y.count() == 0) return;
  const int64_t C = y.dim(-1), rows = y.count() / C;
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("softmax", softmax_kernel<T>, blocks_for(rows, 8), 256, 0, x.data<T>(), rows, C,
           y.data<T>());
  });
}

void softmax_backward(const Tensor& y, const Tensor& dy, Tensor& dx) {
  if (y.count() == 0) return;
  const int64_t C = y.dim(-1), rows = y.count() / C;
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("softmax_backward", softmax_backward_kernel<T>, blocks_for(rows, 8), 256, 0, y.data<T>(),
           dy.data<T>(), rows, C, dx.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
