// rmsprop: one step of RMSprop over the flat buffer.
//
//   Launch    one warp per chunk of 64 elements, 8 warps per block, grid-stride.
//   Traffic   20 B and about 9 flops per element (28 B with momentum): bandwidth-bound;
//             floor = 20 B * n / bandwidth.
//   Repeats   bitwise: every element has one writer.
#include "kernels/optimizer/rmsprop.h"

#include <cmath>

#include "kernels/optimizer/chunk_warps.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
struct Constants {
  T alpha, rest, eps, decay, momentum;  // rest = 1 - alpha
};

// momentum_buffer is null without momentum.
template <class T>
CAIRN_KERNEL void rmsprop_kernel(const T* grads, const float* scales, const T* clip,
                                 const T* base_lr, Constants<T> o, T* values, T* square_avg,
                                 T* momentum_buffer, int64_t chunks) {
  for_each_active_chunk(scales, chunks, [&](int64_t, int64_t i, float lr_scale, float decay_scale) {
    const T lr = base_lr[0] * lr_scale, decay = o.decay * decay_scale, scale = clip[0];
    const auto direction = [&](T grad, T value, T& s) {
      const T g = scale * grad + decay * value;
      s = o.alpha * s + o.rest * g * g;
      return g / (std::sqrt(s) + o.eps);
    };
    const Pack<T, 2> g = load_pack<2>(grads + i);
    Pack<T, 2> value = load_pack<2>(values + i), s = load_pack<2>(square_avg + i), u;
    for (int e = 0; e < 2; ++e) u[e] = direction(g[e], value[e], s[e]);
    if (momentum_buffer) {
      const Pack<T, 2> b = load_pack<2>(momentum_buffer + i);
      for (int e = 0; e < 2; ++e) u[e] = o.momentum * b[e] + u[e];
      store_pack(momentum_buffer + i, u);
    }
    for (int e = 0; e < 2; ++e) value[e] -= lr * u[e];
    store_pack(square_avg + i, s);
    store_pack(values + i, value);
  });
}

}  // namespace

void rmsprop(const Tensor& grads, const Tensor& chunk_scales, const Tensor& grad_scale,
             const Tensor& lr, const RmspropOptions& o, Tensor& values, Tensor& square_avg,
             Tensor& momentum_buffer) {
  const int64_t chunks = chunk_scales.dim(0);
  with_float(values.dtype(), [&](auto type) {
    using T = decltype(type);
    const Constants<T> constants{T(o.alpha), T(1 - o.alpha), T(o.eps), T(o.weight_decay),
                                 T(o.momentum)};
    launch("rmsprop", rmsprop_kernel<T>, blocks_for(chunks, 8), 256, 0, grads.data<T>(),
           chunk_scales.data<float>(), grad_scale.data<T>(), lr.data<T>(), constants,
           values.data<T>(), square_avg.data<T>(),
           o.momentum > 0 ? momentum_buffer.data<T>() : nullptr, chunks);
  });
}

}  // namespace cairn::CAIRN_NS
