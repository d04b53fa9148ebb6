// l2_normalize: every vector along the last dimension divided by its length.
//
//   Launch    a group of up to 32 lanes takes a vector (lane_group.h), blocks of 256 threads; the
//             second look at the vector comes from the first-level cache.
//   Traffic   forward 8 B, backward 12 B and 4 (8) flops an element: bandwidth-bound; floor =
//             8 B (12 B) * count / bandwidth.
//   Numbers   |x|^2 must stay in the range of float32: lengths of 1e-19 to 1e19.
//   Repeats   bitwise: fixed butterfly over the lanes.
#include "kernels/descriptor/l2_normalize.h"

#include "kernels/lane_group.h"

namespace cairn::CAIRN_NS {
namespace {

constexpr int threads = 256;

CAIRN_DEVICE float group_dot(const float* a, const float* b, int channels, int lane, int lanes) {
  float sum = 0;
  for (int c = lane; c < channels; c += lanes) sum += a[c] * b[c];
  return group_sum(sum, lanes);
}

CAIRN_KERNEL void l2_normalize_kernel(const float* x, float* y, int64_t rows, int channels,
                                      float eps, int lanes) {
  for (RowWalk walk(lanes); walk.any(rows); walk.next()) {
    const int64_t at = walk.row(rows) * channels;
    const float length = sqrtf(group_dot(x + at, x + at, channels, walk.lane, lanes));
    if (!walk.own(rows)) continue;
    const float scale = 1 / fmaxf(length, eps);
    for (int c = walk.lane; c < channels; c += lanes) y[at + c] = x[at + c] * scale;
  }
}

CAIRN_KERNEL void l2_normalize_backward_kernel(const float* x, const float* dy, float* dx,
                                               int64_t rows, int channels, float eps, int lanes) {
  for (RowWalk walk(lanes); walk.any(rows); walk.next()) {
    const int64_t at = walk.row(rows) * channels;
    const float length = sqrtf(group_dot(x + at, x + at, channels, walk.lane, lanes));
    const float inner = group_dot(x + at, dy + at, channels, walk.lane, lanes);
    if (!walk.own(rows)) continue;
    const float scale = 1 / fmaxf(length, eps);
    const float along = length > eps ? inner * scale * scale : 0.f;
    for (int c = walk.lane; c < channels; c += lanes)
      dx[at + c] = scale * (dy[at + c] - along * x[at + c]);
  }
}

}  // namespace

void l2_normalize(const Tensor& x, double eps, Tensor& y) {
  if (x.count() == 0) return;
  const int channels = int(x.dim(-1)), lanes = lanes_for(channels);
  const int64_t rows = x.count() / channels;
  launch("l2_normalize", l2_normalize_kernel, blocks_for(rows * lanes, threads), threads, 0,
         x.data<float>(), y.data<float>(), rows, channels, float(eps), lanes);
}

void l2_normalize_backward(const Tensor& x, const Tensor& dy, double eps, Tensor& dx) {
  if (x.count() == 0) return;
  const int channels = int(x.dim(-1)), lanes = lanes_for(channels);
  const int64_t rows = x.count() / channels;
  launch("l2_normalize_backward", l2_normalize_backward_kernel, blocks_for(rows * lanes, threads),
         threads, 0, x.data<float>(), dy.data<float>(), dx.data<float>(), rows, channels,
         float(eps), lanes);
}

}  // namespace cairn::CAIRN_NS
