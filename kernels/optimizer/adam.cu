// adam: one step of Adam or AdamW over the flat buffer.
//
//   Launch    one warp per chunk of 64 elements, 8 warps per block, grid-stride.
//   Traffic   28 B and about 15 flops per element (12 read and 12 written of the three buffers, 4
//   of
//             the gradient): bandwidth-bound; floor = 28 B * n / bandwidth.
//   Repeats   bitwise: every element has one writer.
//   Accuracy  1 - beta^t is -expm1(t log beta) with the logarithm from the host's double: in
//   float32
//             1 - 0.999f itself is already off by 1e-5.
#include "kernels/optimizer/adam.h"

#include <cmath>

#include "kernels/optimizer/chunk_warps.h"

namespace cairn::CAIRN_NS {
namespace {

struct Constants {
  float lr, b1, a1, b2, a2, eps, decay, log_b1, log_b2;  // a = 1 - b
  bool decoupled;
};

CAIRN_KERNEL void adam_kernel(const float* grads, const float* scales, const float* clip,
                              Constants o, float* values, float* exp_avg, float* exp_avg_sq,
                              int* steps, int64_t chunks) {
  for_each_active_chunk(
      scales, chunks, [&](int64_t c, int64_t i, float lr_scale, float decay_scale) {
        int step = 0;
        if (lane_index() == 0) step = ++steps[c];
        const float t = float(shuffle(full_warp, step, 0));
        const float lr = o.lr * lr_scale, decay = o.decay * decay_scale;
        const float keep = o.decoupled ? 1 - lr * decay : 1, into_g = o.decoupled ? 0 : decay;
        const float rate = lr / -expm1f(t * o.log_b1), root = 1 / sqrtf(-expm1f(t * o.log_b2));
        const float scale = clip[0];
        const auto update = [&](float grad, float& value, float& m, float& s) {
          const float g = scale * grad + into_g * value;
          m = o.b1 * m + o.a1 * g;
          s = o.b2 * s + o.a2 * g * g;
          value = keep * value - rate * m / (sqrtf(s) * root + o.eps);
        };
        const Float2 g = load2(grads + i);
        Float2 value = load2(values + i), m = load2(exp_avg + i), s = load2(exp_avg_sq + i);
        update(g.x, value.x, m.x, s.x);
        update(g.y, value.y, m.y, s.y);
        store2(values + i, value);
        store2(exp_avg + i, m);
        store2(exp_avg_sq + i, s);
      });
}

}  // namespace

void adam(const Tensor& grads, const Tensor& chunk_scales, const Tensor& grad_scale,
          const AdamOptions& o, Tensor& values, Tensor& exp_avg, Tensor& exp_avg_sq,
          Tensor& steps) {
  const Constants constants{float(o.lr),
                            float(o.beta1),
                            float(1 - o.beta1),
                            float(o.beta2),
                            float(1 - o.beta2),
                            float(o.eps),
                            float(o.weight_decay),
                            float(std::log(o.beta1)),
                            float(std::log(o.beta2)),
                            o.decoupled};
  const int64_t chunks = chunk_scales.dim(0);
  launch("adam", adam_kernel, blocks_for(chunks, 8), 256, 0, grads.data<float>(),
         chunk_scales.data<float>(), grad_scale.data<float>(), constants, values.data<float>(),
         exp_avg.data<float>(), exp_avg_sq.data<float>(), steps.data<int32_t>(), chunks);
}

}  // namespace cairn::CAIRN_NS
