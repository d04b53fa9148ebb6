#include "kernels/elementwise/bias_activation.h"

#include "kernels/activation.h"
#include "kernels/column_sums.h"

namespace cairn::cpu {

void bias_activation(const Tensor& x, const Tensor* bias, Activation act, float slope, Tensor& y) {
  if (x.count() == 0) return;
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *px = x.data<T>(), *pb = bias ? bias->data<T>() : nullptr;
    T* py = y.data<T>();
    const T s = T(slope);
    with_activation(act, [&](auto kind) {
      if (!pb) {
        parallel_for(x.count(), 1 << 15, [=](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) py[i] = activate<kind()>(px[i], s);
        });
        return;
      }
      const int64_t C = x.dim(-1);
      parallel_for(x.count() / C, rows_per_part(C), [=](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r)
          for (int64_t c = 0; c < C; ++c)
            py[r * C + c] = activate<kind()>(px[r * C + c] + pb[c], s);
      });
    });
  });
}

void bias_activation_backward(const Tensor& y, const Tensor& dy, Activation act, float slope,
                              Tensor* dx, Tensor* dbias) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *py = y.data<T>(), *pd = dy.data<T>();
    T* px = dx ? dx->data<T>() : nullptr;
    const T s = T(slope);
    with_activation(act, [&](auto kind) {
      if (!dbias) {
        if (!px) return;
        parallel_for(y.count(), 1 << 15, [=](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i)
            px[i] = pd[i] * activation_derivative<kind()>(py[i], s);
        });
        return;
      }
      const int64_t C = y.dim(-1), rows = C ? y.count() / C : 0;
      const auto sums = column_sums<1, T>(rows, C, [=](int64_t r, int64_t c, int64_t n, auto& acc) {
        const T *yr = py + r * C + c, *dr = pd + r * C + c;
        T* xr = px ? px + r * C + c : nullptr;
        for (int64_t i = 0; i < n; ++i) {
          const T d = dr[i] * activation_derivative<kind()>(yr[i], s);
          acc[0][i] += d;
          if (xr) xr[i] = d;
        }
      });
      std::copy(sums.begin(), sums.end(), dbias->data<T>());
    });
  });
}

}  // namespace cairn::cpu
