// sgd: one step of gradient descent with momentum over the flat buffer.
//
//   Launch    one warp per chunk of 64 elements, 8 warps per block, grid-stride.
//   Traffic   12 B and about 5 flops per element (20 B with momentum): bandwidth-bound;
//             floor = 12 B * n / bandwidth.
//   Repeats   bitwise: every element has one writer.
#include "kernels/optimizer/sgd.h"

#include "kernels/optimizer/chunk_warps.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
struct Constants {
  T decay, momentum;
  bool nesterov;
};

// momentum_buffer is null without momentum.
template <class T>
CAIRN_KERNEL void sgd_kernel(const T* grads, const float* scales, const T* clip, const T* base_lr,
                             Constants<T> o, T* values, T* momentum_buffer, int64_t chunks) {
  for_each_active_chunk(scales, chunks, [&](int64_t, int64_t i, float lr_scale, float decay_scale) {
    const T lr = base_lr[0] * lr_scale, decay = o.decay * decay_scale, scale = clip[0];
    const Pack<T, 2> grad = load_pack<2>(grads + i);
    Pack<T, 2> value = load_pack<2>(values + i), u;
    for (int e = 0; e < 2; ++e) u[e] = scale * grad[e] + decay * value[e];
    if (momentum_buffer) {
      Pack<T, 2> b = load_pack<2>(momentum_buffer + i);
      for (int e = 0; e < 2; ++e) {
        b[e] = o.momentum * b[e] + u[e];
        u[e] = o.nesterov ? u[e] + o.momentum * b[e] : b[e];
      }
      store_pack(momentum_buffer + i, b);
    }
    for (int e = 0; e < 2; ++e) value[e] -= lr * u[e];
    store_pack(values + i, value);
  });
}

}  // namespace

void sgd(const Tensor& grads, const Tensor& chunk_scales, const Tensor& grad_scale,
         const Tensor& lr, const SgdOptions& o, Tensor& values, Tensor& momentum_buffer) {
  const int64_t chunks = chunk_scales.dim(0);
  with_float(values.dtype(), [&](auto type) {
    using T = decltype(type);
    const Constants<T> constants{T(o.weight_decay), T(o.momentum), o.nesterov};
    launch("sgd", sgd_kernel<T>, blocks_for(chunks, 8), 256, 0, grads.data<T>(),
           chunk_scales.data<float>(), grad_scale.data<T>(), lr.data<T>(), constants,
           values.data<T>(), o.momentum > 0 ? momentum_buffer.data<T>() : nullptr, chunks);
  });
}

}  // namespace cairn::CAIRN_NS
