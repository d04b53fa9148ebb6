// separation: forward and backward.
//
//   Launch    forward: a thread per point goes over the points before it, in blocks of 256, at most
//             1024 of them, then one block over their sums; backward: a thread per point goes over
//             all points of its image. Grid-stride.
//   Traffic   8 B a point (16 B backward), its neighbours come from the cache; K/2 (K) exponentials
//             and 4 K (11 K) FLOPs a point. N K is a few hundred: floor = the launches.
//   Repeats   bitwise: shares depend on the count alone, and every sum has a fixed order.
#include "kernels/loss/separation.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
CAIRN_KERNEL void separation_shares_kernel(SeparationFalloff<T> falloff, const T* points,
                                           int64_t count, int64_t K, T* shares) {
  T sum = 0;
  for (int64_t i = global_thread(); i < count; i += global_threads())
    for (int64_t m = i / K * K; m < i; ++m) sum += falloff.value(points + 2 * i, points + 2 * m);
  sum = block_sum<256>(sum);
  if (threadIdx.x == 0) shares[blockIdx.x] = sum;
}

template <class T>
CAIRN_KERNEL void separation_total_kernel(const T* shares, int count, T factor, T* loss) {
  T sum = 0;
  for (int i = int(threadIdx.x); i < count; i += 256) sum += shares[i];
  sum = block_sum<256>(sum);
  if (threadIdx.x == 0) loss[0] = factor * sum;
}

template <class T>
CAIRN_KERNEL void separation_backward_kernel(SeparationFalloff<T> falloff, const T* points,
                                             int64_t count, int64_t K, T factor, const T* dloss,
                                             T* dpoints) {
  for (int64_t i = global_thread(); i < count; i += global_threads())
    falloff.gradient(points + i / K * K * 2, K, i % K, factor * dloss[0], dpoints + 2 * i);
}

}  // namespace

void separation(const Tensor& points, double sigma, double aspect, Tensor& loss) {
  const int64_t N = points.dim(0), K = points.dim(1), count = N * K;
  const int64_t shares = std::min<int64_t>(1024, (count + 255) / 256);
  Tensor sums = points.empty_like({shares});
  with_float(points.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("separation", separation_shares_kernel<T>, Dim3(shares), 256, 0,
           SeparationFalloff<T>(sigma, aspect), points.data<T>(), count, K, sums.data<T>());
    launch("separation", separation_total_kernel<T>, Dim3(1), 256, 0, sums.data<T>(), int(shares),
           N == 0 ? T(0) : T(2.0 / double(N)), loss.data<T>());
  });
}

void separation_backward(const Tensor& points, double sigma, double aspect, const Tensor& dloss,
                         Tensor& dpoints) {
  const int64_t N = points.dim(0), K = points.dim(1), count = N * K;
  with_float(points.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("separation_backward", separation_backward_kernel<T>, blocks_for(count, 256), 256, 0,
           SeparationFalloff<T>(sigma, aspect), points.data<T>(), count, K, T(1.0 / double(N)),
           dloss.data<T>(), dpoints.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
