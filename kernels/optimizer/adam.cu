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

template <class T>
struct Constants {
  T b1, a1, b2, a2, eps, decay, log_b1, log_b2;  // a = 1 - b
  bool decoupled;
};

template <class T>
CAIRN_KERNEL void adam_kernel(const T* grads, const float* scales, const T* clip, const T* base_lr,
                              Constants<T> o, T* values, T* exp_avg, T* exp_avg_sq, int* steps,
                              int64_t chunks) {
  for_each_active_chunk(
      scales, chunks, [&](int64_t c, int64_t i, float lr_scale, float decay_scale) {
        int step = 0;
        if (lane_index() == 0) step = ++steps[c];
        const T t = T(shuffle(full_warp, step, 0));
        const T lr = base_lr[0] * lr_scale, decay = o.decay * decay_scale;
        const T keep = o.decoupled ? 1 - lr * decay : 1, into_g = o.decoupled ? 0 : decay;
        const T rate = lr / -std::expm1(t * o.log_b1);
        const T root = 1 / std::sqrt(-std::expm1(t * o.log_b2));
        const T scale = clip[0];
        const auto update = [&](T grad, T& value, T& m, T& s) {
          const T g = scale * grad + into_g * value;
          m = o.b1 * m + o.a1 * g;
          s = o.b2 * s + o.a2 * g * g;
          value = keep * value - rate * m / (std::sqrt(s) * root + o.eps);
        };
        const Pack<T, 2> g = load_pack<2>(grads + i);
        Pack<T, 2> value = load_pack<2>(values + i), m = load_pack<2>(exp_avg + i);
        Pack<T, 2> s = load_pack<2>(exp_avg_sq + i);
        for (int e = 0; e < 2; ++e) update(g[e], value[e], m[e], s[e]);
        store_pack(values + i, value);
        store_pack(exp_avg + i, m);
        store_pack(exp_avg_sq + i, s);
      });
}

}  // namespace

void adam(const Tensor& grads, const Tensor& chunk_scales, const Tensor& grad_scale,
          const Tensor& lr, const AdamOptions& o, Tensor& values, Tensor& exp_avg,
          Tensor& exp_avg_sq, Tensor& steps) {
  const int64_t chunks = chunk_scales.dim(0);
  with_float(values.dtype(), [&](auto type) {
    using T = decltype(type);
    const Constants<T> constants{
        T(o.beta1),        T(1 - o.beta1),       T(o.beta2),           T(1 - o.beta2), T(o.eps),
        T(o.weight_decay), T(std::log(o.beta1)), T(std::log(o.beta2)), o.decoupled};
    launch("adam", adam_kernel<T>, blocks_for(chunks, 8), 256, 0, grads.data<T>(),
           chunk_scales.data<float>(), grad_scale.data<T>(), lr.data<T>(), constants,
           values.data<T>(), exp_avg.data<T>(), exp_avg_sq.data<T>(), steps.data<int32_t>(),
           chunks);
  });
}

}  // namespace cairn::CAIRN_NS
