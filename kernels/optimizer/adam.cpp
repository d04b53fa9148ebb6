#include "kernels/optimizer/adam.h"

#include <cmath>

#include "kernels/optimizer/flat_chunk.h"

namespace cairn::cpu {

void adam(const Tensor& grads, const Tensor& chunk_scales, const Tensor& grad_scale,
          const Tensor& lr, const AdamOptions& o, Tensor& values, Tensor& exp_avg,
          Tensor& exp_avg_sq, Tensor& steps) {
  with_float(values.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *g_all = grads.data<T>(), clip = grad_scale.data<T>()[0], base_lr = lr.data<T>()[0];
    T *value_all = values.data<T>(), *m_all = exp_avg.data<T>(), *s_all = exp_avg_sq.data<T>();
    int32_t* step = steps.data<int32_t>();
    const T b1 = T(o.beta1), a1 = T(1 - o.beta1), b2 = T(o.beta2), a2 = T(1 - o.beta2);
    const T eps = T(o.eps);
    for_each_active_chunk(chunk_scales, [&](int64_t c, double lr_scale, double decay_scale) {
      const T* g_in = g_all + c * flat_chunk;
      T *value = value_all + c * flat_chunk, *m = m_all + c * flat_chunk;
      T* s = s_all + c * flat_chunk;
      const int32_t t = ++step[c];
      const double chunk_lr = base_lr * lr_scale, decay = o.weight_decay * decay_scale;
      const T into_g = T(o.decoupled ? 0 : decay), keep = T(o.decoupled ? 1 - chunk_lr * decay : 1);
      const T rate = T(chunk_lr / (1 - std::pow(o.beta1, t)));
      const T root = T(1 / std::sqrt(1 - std::pow(o.beta2, t)));
#pragma GCC ivdep  // the buffers do not overlap
      for (int64_t i = 0; i < flat_chunk; ++i) {
        const T g = clip * g_in[i] + into_g * value[i];
        m[i] = b1 * m[i] + a1 * g;
        s[i] = b2 * s[i] + a2 * g * g;
        value[i] = keep * value[i] - rate * m[i] / (std::sqrt(s[i]) * root + eps);
      }
    });
  });
}

}  // namespace cairn::cpu
