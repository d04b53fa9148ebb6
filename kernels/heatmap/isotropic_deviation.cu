// isotropic_deviation: forward and backward.
//
//   Launch    one thread per landmark, grid-stride.
//   Traffic   12 B per landmark, backward 20 B, 5 FLOPs and a root each; latency-bound, floor = one
//             launch.
//   Repeats   bitwise: every element has one writer.
#include "kernels/heatmap/isotropic_deviation.h"

#include "kernels/device.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
CAIRN_KERNEL void isotropic_deviation_kernel(const T* variance, T aspect, int64_t count, T* sigma) {
  T unused_x, unused_y;
  for (int64_t i = global_thread(); i < count; i += global_threads())
    sigma[i] =
        isotropic_sigma<T>(variance[2 * i], variance[2 * i + 1], aspect, &unused_x, &unused_y);
}

template <class T>
CAIRN_KERNEL void isotropic_deviation_backward_kernel(const T* variance, const T* dsigma, T aspect,
                                                      int64_t count, T* dvariance) {
  for (int64_t i = global_thread(); i < count; i += global_threads()) {
    T x, y;
    isotropic_sigma<T>(variance[2 * i], variance[2 * i + 1], aspect, &x, &y);
    dvariance[2 * i] = x * dsigma[i];
    dvariance[2 * i + 1] = y * dsigma[i];
  }
}

}  // namespace

void isotropic_deviation(const Tensor& variance, double aspect, Tensor& sigma) {
  with_float(sigma.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("isotropic_deviation", isotropic_deviation_kernel<T>, blocks_for(sigma.count(), 256),
           256, 0, variance.data<T>(), T(aspect), sigma.count(), sigma.data<T>());
  });
}

void isotropic_deviation_backward(const Tensor& variance, double aspect, const Tensor& dsigma,
                                  Tensor& dvariance) {
  with_float(dvariance.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("isotropic_deviation_backward", isotropic_deviation_backward_kernel<T>,
           blocks_for(dsigma.count(), 256), 256, 0, variance.data<T>(), dsigma.data<T>(), T(aspect),
           dsigma.count(), dvariance.data<T>());
  });
}

}  // namespace cairn::CAIRN_NS
