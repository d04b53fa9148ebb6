#include "kernels/heatmap/isotropic_deviation.h"

namespace cairn::cpu {

void isotropic_deviation(const Tensor& variance, double aspect, Tensor& sigma) {
  with_float(sigma.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* v = variance.data<T>();
    T unused_x, unused_y;
    for (int64_t i = 0; i < sigma.count(); ++i)
      sigma.data<T>()[i] =
          isotropic_sigma<T>(v[2 * i], v[2 * i + 1], T(aspect), &unused_x, &unused_y);
  });
}

void isotropic_deviation_backward(const Tensor& variance, double aspect, const Tensor& dsigma,
                                  Tensor& dvariance) {
  with_float(dvariance.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *v = variance.data<T>(), *d = dsigma.data<T>();
    T* dv = dvariance.data<T>();
    for (int64_t i = 0; i < dsigma.count(); ++i) {
      isotropic_sigma<T>(v[2 * i], v[2 * i + 1], T(aspect), dv + 2 * i, dv + 2 * i + 1);
      dv[2 * i] *= d[i];
      dv[2 * i + 1] *= d[i];
    }
  });
}

}  // namespace cairn::cpu
