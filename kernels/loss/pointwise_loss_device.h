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
template <class T>
struct WeightAt {
  const T* weight;  // null: 1
  int64_t sample;   // elements per sample
  int channels;

  WeightAt(const Tensor& x, const Tensor& w)
      : weight(w.defined() ? w.data<T>() : nullptr),
        sample(x.count() == 0 ? 1 : x.count() / x.dim(0)),
        channels(!w.defined() || w.shape() == x.shape() ? 0 : int(x.dim(-1))) {}
  CAIRN_DEVICE_MEMBER T operator()(int64_t i) const {
    if (!weight) return 1;
    return weight[channels == 0 ? i : i / sample * channels + i % channels];
  }
};

/// What one block adds up.
template <class T>
struct LossShare {
  T loss, weight;
};

template <class T>
CAIRN_DEVICE LossShare<T> block_share(LossShare<T> own) {
  return {block_sum<256>(own.loss), block_sum<256>(own.weight)};
}

template <class Loss, class T>
CAIRN_KERNEL void loss_shares_kernel(Loss l, const T* x, const T* target, WeightAt<T> weight,
                                     int64_t count, LossShare<T>* shares) {
  LossShare<T> sum{0, 0};
  for (int64_t i = global_thread(); i < count; i += global_threads()) {
    const T w = weight(i);
    sum.loss += w * l.value(x[i], target[i]);
    sum.weight += w;
  }
  sum = block_share(sum);
  if (threadIdx.x == 0) shares[blockIdx.x] = sum;
}

// Writes loss and factor; `divisor` 0: the sum of the weights.
template <class T>
CAIRN_KERNEL void loss_total_kernel(const LossShare<T>* shares, int count, T divisor, T* loss,
                                    T* factor) {
  LossShare<T> sum{0, 0};
  for (int i = threadIdx.x; i < count; i += 256) {
    sum.loss += shares[i].loss;
    sum.weight += shares[i].weight;
  }
  sum = block_share(sum);
  if (threadIdx.x != 0) return;
  if (divisor == 0) divisor = sum.weight;
  factor[0] = divisor == 0 ? 0 : 1 / divisor;
  loss[0] = divisor == 0 ? 0 : sum.loss / divisor;
}

template <class Loss, class T>
CAIRN_KERNEL void loss_backward_kernel(Loss l, const T* x, const T* target, WeightAt<T> weight,
                                       const T* factor, const T* dloss, int64_t count, T* dx) {
  const T scale = dloss[0] * factor[0];
  for (int64_t i = global_thread(); i < count; i += global_threads())
    dx[i] = scale * weight(i) * l.slope(x[i], target[i]);
}

template <class Loss>
void pointwise_loss(const char* op, const Loss& l, const Tensor& x, const Tensor& target,
                    const Tensor& weight, LossMean mean, Tensor& loss, Tensor& factor) {
  const int64_t shares = std::min<int64_t>(1024, (x.count() + 2047) / 2048);
  Tensor sums = x.empty_like({shares, 2});
  with_float(x.dtype(), [&](auto type) {
    using T = decltype(type);
    auto* p = reinterpret_cast<LossShare<T>*>(sums.data<T>());
    launch(op, loss_shares_kernel<Loss, T>, Dim3(shares), 256, 0, l, x.data<T>(), target.data<T>(),
           WeightAt<T>(x, weight), x.count(), p);
    launch(op, loss_total_kernel<T>, Dim3(1), 256, 0, p, int(shares),
           mean == LossMean::weights ? T(0) : T(x.count()), loss.data<T>(), factor.data<T>());
  });
}

template <class Loss>
void pointwise_loss_backward(const char* op, const Loss& l, const Tensor& x, const Tensor& target,
                             const Tensor& weight, const Tensor& factor, const Tensor& dloss,
                             Tensor& dx) {
  with_float(x.dtype(), [&](auto type) {
    using T = decltype(type);
    launch(op, loss_backward_kernel<Loss, T>, blocks_for(x.count(), 256), 256, 0, l, x.data<T>(),
           target.data<T>(), WeightAt<T>(x, weight), factor.data<T>(), dloss.data<T>(), x.count(),
           dx.data<T>());
  });
}

}  // namespace
}  // namespace cairn::CAIRN_NS
