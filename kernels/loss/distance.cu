// distance: forward and backward.
//
//   Launch    forward: blocks of 256, each with a fixed share of the pairs (at most 1024 shares),
//             then one block over the shares' sums; backward: one thread per pair, grid-stride.
//   Traffic   forward 16 B per pair (20 B with weights), backward 24 (28) B, a root each:
//             bandwidth-bound; floor = that * pairs / bandwidth.
//   Repeats   bitwise: shares depend on the count alone, and every sum has a fixed order.
#include "kernels/loss/distance.h"

#include "kernels/loss/pointwise_loss_device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
CAIRN_KERNEL void distance_shares_kernel(const T* x, const T* target, const T* weight, double beta,
                                         int64_t pairs, LossShare<T>* shares) {
  LossShare<T> sum{0, 0};
  for (int64_t i = global_thread(); i < pairs; i += global_threads()) {
    const T ex = x[2 * i] - target[2 * i], ey = x[2 * i + 1] - target[2 * i + 1];
    const T w = weight ? weight[i] : T(1);
    if (w == 0) continue;
    sum.loss += w * SmoothL1{beta}.value(T(sqrt(ex * ex + ey * ey)));
    sum.weight += w;
  }
  sum = block_share(sum);
  if (threadIdx.x == 0) shares[blockIdx.x] = sum;
}

template <class T>
CAIRN_KERNEL void distance_backward_kernel(const T* x, const T* target, const T* weight,
                                           double beta, const T* factor, const T* dloss,
                                           int64_t pairs, T* dx) {
  const T scale = dloss[0] * factor[0];
  for (int64_t i = global_thread(); i < pairs; i += global_threads())
    distance_slope(beta, weight ? scale * weight[i] : scale, x[2 * i] - target[2 * i],
                   x[2 * i + 1] - target[2 * i + 1], dx + 2 * i);
}

}  // namespace

void distance(const Tensor& x, const Tensor& target, const Tensor& weight, double beta,
              Tensor& loss, Tensor& factor) {
  const int64_t pairs = x.count() / 2, shares = std::min<int64_t>(1024, (pairs + 2047) / 2048);
  Tensor sums = x.empty_like({shares, 2});
  with_float(x.dtype(), [&](auto type) {
    using T = decltype(type);
    auto* p = reinterpret_cast<LossShare<T>*>(sums.data<T>());
    launch("distance", distance_shares_kernel<T>, Dim3(shares), 256, 0, x.data<T>(),
           target.data<T>(), weight.defined() ? weight.data<T>() : nullptr, beta, pairs, p);
    launch("distance", loss_total_kernel<T>, Dim3(1), 256, 0, p, int(shares), T(0), loss.data<T>(),
           factor.data<T>());
  });
}

void distance_backward(const Tensor& x, const Tensor& target, const Tensor& weight, double beta,
                       const Tensor& factor, const Tensor& dloss, Tensor& dx) {
  const int64_t pairs = x.count() / 2;
  with_float(x.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("distance_backward", distance_backward_kernel<T>, blocks_for(pairs, 256), 256, 0,
           x.data<T>(), target.data<T>(), weight.defined() ? weight.data<T>() : nullptr, beta,
           factor.data<T>(), dloss.data<T>(), pairs, dx.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
