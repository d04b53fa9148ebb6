#pragma once
// The kernels of the pointwise losses; see pointwise_loss.h.
//
//   Launch    forward: blocks of 256, each with a fixed share of the elements (at most 1024
//   shares),
//             then one block over the shares' sums; backward: one thread per element, grid-stride.
//   Traffic   forward 8 B per element (12 B with a weight per element), backward 12 (16) B:
//             bandwidth-bound; floor = that * count / bandwidth.
//   Repeats   bitwise: shares depend on the count alone, and every sum has a fixed order.
#include "kernels/device.h"
#include "kernels/loss/pointwise_loss.h"

namespace cairn::CAIRN_NS {
namespace {  // each file that includes this has kernels of its own

/// The weight of element i; channels is 0 where there is one weight per element.
struct WeightAt {
  const float* weight;  // null: 1
  int64_t sample;       // elements per sample
  int channels;

  WeightAt(const Tensor& x, const Tensor& w)
      : weight(w.defined() ? w.data<float>() : nullptr),
        sample(x.count() == 0 ? 1 : x.count() / x.dim(0)),
        channels(!w.defined() || w.shape() == x.shape() ? 0 : int(x.dim(-1))) {}
  CAIRN_DEVICE_MEMBER float operator()(int64_t i) const {
    if (!weight) return 1;
    return weight[channels == 0 ? i : i / sample * channels + i % channels];
  }
};

template <class Loss>
CAIRN_KERNEL void loss_shares_kernel(Loss l, const float* x, const float* target, WeightAt weight,
                                     int64_t count, Float2* shares) {
  Float2 sum{0, 0};
  for (int64_t i = global_thread(); i < count; i += global_threads()) {
    const float w = weight(i);
    sum.x += w * l.value(x[i] - target[i]);
    sum.y += w;
  }
  sum = {block_sum<256>(sum.x), block_sum<256>(sum.y)};
  if (threadIdx.x == 0) shares[blockIdx.x] = sum;
}

// Writes loss and factor; `divisor` 0: the sum of the weights.
CAIRN_KERNEL void loss_total_kernel(const Float2* shares, int count, float divisor, float* loss,
                                    float* factor) {
  Float2 sum{0, 0};
  for (int i = threadIdx.x; i < count; i += 256) {
    sum.x += shares[i].x;
    sum.y += shares[i].y;
  }
  sum = {block_sum<256>(sum.x), block_sum<256>(sum.y)};
  if (threadIdx.x != 0) return;
  if (divisor == 0) divisor = sum.y;
  factor[0] = divisor == 0 ? 0 : 1 / divisor;
  loss[0] = divisor == 0 ? 0 : sum.x / divisor;
}

template <class Loss>
CAIRN_KERNEL void loss_backward_kernel(Loss l, const float* x, const float* target, WeightAt weight,
                                       const float* factor, const float* dloss, int64_t count,
                                       float* dx) {
  const float scale = dloss[0] * factor[0];
  for (int64_t i = global_thread(); i < count; i += global_threads())
    dx[i] = scale * weight(i) * l.slope(x[i] - target[i]);
}

template <class Loss>
void pointwise_loss(const char* op, const Loss& l, const Tensor& x, const Tensor& target,
                    const Tensor& weight, LossMean mean, Tensor& loss, Tensor& factor) {
  const int64_t shares = std::min<int64_t>(1024, (x.count() + 2047) / 2048);
  Tensor sums = x.empty_like({shares, 2});
  Float2* p = reinterpret_cast<Float2*>(sums.data<float>());
  launch(op, loss_shares_kernel<Loss>, Dim3(shares), 256, 0, l, x.data<float>(),
         target.data<float>(), WeightAt(x, weight), x.count(), p);
  launch(op, loss_total_kernel, Dim3(1), 256, 0, p, int(shares),
         mean == LossMean::weights ? 0.f : float(x.count()), loss.data<float>(),
         factor.data<float>());
}

template <class Loss>
void pointwise_loss_backward(const char* op, const Loss& l, const Tensor& x, const Tensor& target,
                             const Tensor& weight, const Tensor& factor, const Tensor& dloss,
                             Tensor& dx) {
  launch(op, loss_backward_kernel<Loss>, blocks_for(x.count(), 256), 256, 0, l, x.data<float>(),
         target.data<float>(), WeightAt(x, weight), factor.data<float>(), dloss.data<float>(),
         x.count(), dx.data<float>());
}

}  // namespace
}  // namespace cairn::CAIRN_NS
