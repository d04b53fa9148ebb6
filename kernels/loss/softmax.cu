// softmax: over the last dimension, forward and backward.
//
//   Launch    one warp per row, 8 rows per block, grid-stride.
//   Traffic   forward 8 B, backward 12 B per element from memory (a row is read again, from the
//             cache): bandwidth-bound; floor = that * count / bandwidth. An exp per element.
//   Repeats   bitwise: every sum has a fixed order.
#include "kernels/loss/softmax.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

CAIRN_KERNEL void softmax_kernel(const float* x, int64_t rows, int64_t C, float* y) {
  for (int64_t r = global_thread() / 32; r < rows; r += global_threads() / 32) {
    const float* from = x + r * C;
    float* to = y + r * C;
    float top = -INFINITY, sum = 0;
    for (int64_t c = lane_index(); c < C; c += 32) top = fmaxf(top, from[c]);
    top = warp_max(top);
    for (int64_t c = lane_index(); c < C; c += 32) sum += to[c] = expf(from[c] - top);
    const float share = 1 / warp_sum(sum);
    for (int64_t c = lane_index(); c < C; c += 32) to[c] *= share;
  }
}

CAIRN_KERNEL void softmax_backward_kernel(const float* y, const float* dy, int64_t rows, int64_t C,
                                          float* dx) {
  for (int64_t r = global_thread() / 32; r < rows; r += global_threads() / 32) {
    const float *yr = y + r * C, *dr = dy + r * C;
    float dot = 0;
    for (int64_t c = lane_index(); c < C; c += 32) dot += yr[c] * dr[c];
    dot = warp_sum(dot);
    for (int64_t c = lane_index(); c < C; c += 32) dx[r * C + c] = yr[c] * (dr[c] - dot);
  }
}

}  // namespace

void softmax(const Tensor& x, Tensor& y) {
  if (y.count() == 0) return;
  const int64_t C = y.dim(-1), rows = y.count() / C;
  launch("softmax", softmax_kernel, blocks_for(rows, 8), 256, 0, x.data<float>(), rows, C,
         y.data<float>());
}

void softmax_backward(const Tensor& y, const Tensor& dy, Tensor& dx) {
  if (y.count() == 0) return;
  const int64_t C = y.dim(-1), rows = y.count() / C;
  launch("softmax_backward", softmax_backward_kernel, blocks_for(rows, 8), 256, 0, y.data<float>(),
         dy.data<float>(), rows, C, dx.data<float>());
}

}  // namespace cairn::CAIRN_NS
