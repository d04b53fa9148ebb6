#include "kernels/loss/concentration.h"

namespace cairn::cpu {

void concentration(const Tensor& variance, double aspect, Spread form, Tensor& loss) {
  with_float(variance.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* v = variance.data<T>();
    double sum = 0;
    T unused_x, unused_y;
    for (int64_t i = 0; i < variance.count(); i += 2)
      sum +=
          double(spread_of<T>(form, v[i] * T(aspect), v[i + 1] / T(aspect), &unused_x, &unused_y));
    loss.data<T>()[0] = variance.count() == 0 ? T(0) : T(sum / double(variance.dim(0)));
  });
}

void concentration_backward(const Tensor& variance, double aspect, Spread form, const Tensor& dloss,
                            Tensor& dvariance) {
  with_float(variance.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* v = variance.data<T>();
    T* dv = dvariance.data<T>();
    for (int64_t i = 0; i < variance.count(); i += 2) {
      const T scale = dloss.data<T>()[0] / T(variance.dim(0));
      spread_of<T>(form, v[i] * T(aspect), v[i + 1] / T(aspect), dv + i, dv + i + 1);
      dv[i] *= scale * T(aspect);
      dv[i + 1] *= scale / T(aspect);
    }
  });
}

}  // namespace cairn::cpu
