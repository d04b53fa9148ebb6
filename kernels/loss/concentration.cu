// concentration: forward and backward.
//
//   Launch    forward: one block of 256 over all landmarks (a thousand in a large batch); backward:
//             one thread per landmark, grid-stride.
//   Traffic   8 B and 6 FLOPs per landmark, backward 16 B and 8; latency-bound, floor = one launch.
//   Repeats   bitwise: a fixed tree over the threads.
#include "kernels/loss/concentration.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
CAIRN_KERNEL void concentration_kernel(const T* variance, int64_t landmarks, int64_t images,
                                       T aspect, Spread form, T* loss) {
  T sum = 0, unused_x, unused_y;
  for (int64_t i = threadIdx.x; i < landmarks; i += 256)
    sum += spread_of<T>(form, variance[2 * i] * aspect, variance[2 * i + 1] / aspect, &unused_x,
                        &unused_y);
  sum = block_sum<256>(sum);
  if (threadIdx.x == 0) loss[0] = landmarks == 0 ? T(0) : sum / T(images);
}

template <class T>
CAIRN_KERNEL void concentration_backward_kernel(const T* variance, const T* dloss,
                                                int64_t landmarks, int64_t images, T aspect,
                                                Spread form, T* dvariance) {
  const T scale = dloss[0] / T(images);
  for (int64_t i = global_thread(); i < landmarks; i += global_threads()) {
    T dx, dy;
    spread_of<T>(form, variance[2 * i] * aspect, variance[2 * i + 1] / aspect, &dx, &dy);
    dvariance[2 * i] = dx * (scale * aspect);
    dvariance[2 * i + 1] = dy * (scale / aspect);
  }
}

}  // namespace

void concentration(const Tensor& variance, double aspect, Spread form, Tensor& loss) {
  with_float(variance.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("concentration", concentration_kernel<T>, Dim3(1), 256, 0, variance.data<T>(),
           variance.count() / 2, variance.dim(0), T(aspect), form, loss.data<T>());
  });
}

void concentration_backward(const Tensor& variance, double aspect, Spread form, const Tensor& dloss,
                            Tensor& dvariance) {
  with_float(variance.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("concentration_backward", concentration_backward_kernel<T>,
           blocks_for(variance.count() / 2, 256), 256, 0, variance.data<T>(), dloss.data<T>(),
           variance.count() / 2, variance.dim(0), T(aspect), form, dvariance.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
