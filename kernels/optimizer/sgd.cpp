#include "kernels/optimizer/sgd.h"

#include "kernels/optimizer/flat_chunk.h"

namespace cairn::cpu {

void sgd(const Tensor& grads, const Tensor& chunk_scales, const Tensor& grad_scale,
         const Tensor& lr, const SgdOptions& o, Tensor& values, Tensor& momentum_buffer) {
  with_float(values.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *g_all = grads.data<T>(), clip = grad_scale.data<T>()[0], base_lr = lr.data<T>()[0];
    T* value_all = values.data<T>();
    T* b_all = o.momentum > 0 ? momentum_buffer.data<T>() : nullptr;
    const T momentum = T(o.momentum), from_g = T(o.nesterov ? 1 : 0);
    const T from_b = T(o.nesterov ? o.momentum : 1);
    for_each_active_chunk(chunk_scales, [&](int64_t c, double lr_scale, double decay_scale) {
      const T* g_in = g_all + c * flat_chunk;
      T* value = value_all + c * flat_chunk;
      const T chunk_lr = T(base_lr * lr_scale), decay = T(o.weight_decay * decay_scale);
      T u[flat_chunk];
      for (int64_t i = 0; i < flat_chunk; ++i) u[i] = clip * g_in[i] + decay * value[i];
      if (b_all) {
        T* b = b_all + c * flat_chunk;
        for (int64_t i = 0; i < flat_chunk; ++i) {
          b[i] = momentum * b[i] + u[i];
          u[i] = from_g * u[i] + from_b * b[i];
        }
      }
      for (int64_t i = 0; i < flat_chunk; ++i) value[i] -= chunk_lr * u[i];
    });
  });
}

}  // namespace cairn::cpu
