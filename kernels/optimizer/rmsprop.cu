// rmsprop: one step of RMSprop over the flat buffer.
//
//   Launch    one warp per chunk of 64 elements, 8 warps per block, grid-stride.
//   Traffic   20 B and about 9 flops per element (28 B with momentum): bandwidth-bound;
//             floor = 20 B * n / bandwidth.
//   Repeats   bitwise: every element has one writer.
#include "kernels/optimizer/rmsprop.h"

#include "kernels/optimizer/chunk_warps.h"

namespace cairn::CAIRN_NS {
namespace {

struct Constants {
  float lr, alpha, rest, eps, decay, momentum;  // rest = 1 - alpha
};

// momentum_buffer is null without momentum.
CAIRN_KERNEL void rmsprop_kernel(const float* grads, const float* scales, const float* clip,
                                 Constants o, float* values, float* square_avg,
                                 float* momentum_buffer, int64_t chunks) {
  for_each_active_chunk(scales, chunks, [&](int64_t, int64_t i, float lr_scale, float decay_scale) {
    const float lr = o.lr * lr_scale, decay = o.decay * decay_scale, scale = clip[0];
    const auto direction = [&](float grad, float value, float& s) {
      const float g = scale * grad + decay * value;
      s = o.alpha * s + o.rest * g * g;
      return g / (sqrtf(s) + o.eps);
    };
    const Float2 g = load2(grads + i);
    Float2 value = load2(values + i), s = load2(square_avg + i);
    Float2 u{direction(g.x, value.x, s.x), direction(g.y, value.y, s.y)};
    if (momentum_buffer) {
      const Float2 b = load2(momentum_buffer + i);
      u = {o.momentum * b.x + u.x, o.momentum * b.y + u.y};
      store2(momentum_buffer + i, u);
    }
    store2(square_avg + i, s);
    store2(values + i, {value.x - lr * u.x, value.y - lr * u.y});
  });
}

}  // namespace

void rmsprop(const Tensor& grads, const Tensor& chunk_scales, const Tensor& grad_scale,
             const RmspropOptions& o, Tensor& values, Tensor& square_avg, Tensor& momentum_buffer) {
  const Constants constants{float(o.lr),  float(o.alpha),        float(1 - o.alpha),
                            float(o.eps), float(o.weight_decay), float(o.momentum)};
  const int64_t chunks = chunk_scales.dim(0);
  launch("rmsprop", rmsprop_kernel, blocks_for(chunks, 8), 256, 0, grads.data<float>(),
         chunk_scales.data<float>(), grad_scale.data<float>(), constants, values.data<float>(),
         square_avg.data<float>(), o.momentum > 0 ? momentum_buffer.data<float>() : nullptr,
         chunks);
}

}  // namespace cairn::CAIRN_NS
