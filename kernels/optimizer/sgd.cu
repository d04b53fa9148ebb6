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

struct Constants {
  float lr, decay, momentum;
  bool nesterov;
};

// momentum_buffer is null without momentum.
CAIRN_KERNEL void sgd_kernel(const float* grads, const float* scales, const float* clip,
                             Constants o, float* values, float* momentum_buffer, int64_t chunks) {
  for_each_active_chunk(scales, chunks, [&](int64_t, int64_t i, float lr_scale, float decay_scale) {
    const float lr = o.lr * lr_scale, decay = o.decay * decay_scale, scale = clip[0];
    const Float2 grad = load2(grads + i), value = load2(values + i);
    Float2 u{scale * grad.x + decay * value.x, scale * grad.y + decay * value.y};
    if (momentum_buffer) {
      Float2 b = load2(momentum_buffer + i);
      b = {o.momentum * b.x + u.x, o.momentum * b.y + u.y};
      store2(momentum_buffer + i, b);
      u = o.nesterov ? Float2{u.x + o.momentum * b.x, u.y + o.momentum * b.y} : b;
    }
    store2(values + i, {value.x - lr * u.x, value.y - lr * u.y});
  });
}

}  // namespace

void sgd(const Tensor& grads, const Tensor& chunk_scales, const Tensor& grad_scale,
         const SgdOptions& o, Tensor& values, Tensor& momentum_buffer) {
  const Constants constants{float(o.lr), float(o.weight_decay), float(o.momentum), o.nesterov};
  const int64_t chunks = chunk_scales.dim(0);
  launch("sgd", sgd_kernel, blocks_for(chunks, 8), 256, 0, grads.data<float>(),
         chunk_scales.data<float>(), grad_scale.data<float>(), constants, values.data<float>(),
         o.momentum > 0 ? momentum_buffer.data<float>() : nullptr, chunks);
}

}  // namespace cairn::CAIRN_NS
