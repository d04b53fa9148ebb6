#pragma once
// One step of Adam (Kingma and Ba, ICLR 2015) or AdamW (Loshchilov and Hutter, ICLR 2019) over the
// flat parameter buffer, with PyTorch's definitions and defaults:
//
//   g  = grad_scale * grad                       (+ decay * value unless decoupled)
//   v' = value * (1 - lr * decay)                if decoupled, else value
//   m  = beta1 * m + (1 - beta1) * g             exp_avg
//   s  = beta2 * s + (1 - beta2) * g * g         exp_avg_sq
//   value = v' - lr / (1 - beta1^t) * m / (sqrt(s / (1 - beta2^t)) + eps)
//
//   grads, values, exp_avg, exp_avg_sq   [n], n a multiple of flat_chunk; f32 or f64
//   chunk_scales  f32 [n / flat_chunk, 2]: factors of lr and of weight_decay, (0, 0) skips a chunk
//   grad_scale    [1], type of grads: the factor from clipping
//   lr            [1], type of grads: the learning rate, which changes from step to step and
//                 therefore lives on the device
//   steps         i32 [n / flat_chunk]: t, the steps a chunk has taken. Counted here, so that a
//                 parameter that sat out some steps has the bias correction of its own age and no
//                 host value changes from step to step.
#include "kernels/dispatch.h"

namespace cairn {

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  bool decoupled = false;  ///< AdamW
};

CAIRN_ON_EACH_DEVICE(void adam(const Tensor& grads, const Tensor& chunk_scales,
                               const Tensor& grad_scale, const Tensor& lr,
                               const AdamOptions& options, Tensor& values, Tensor& exp_avg,
                               Tensor& exp_avg_sq, Tensor& steps);)

/// Updates values, exp_avg, exp_avg_sq and steps.
inline void adam(const Tensor& grads, const Tensor& chunk_scales, const Tensor& grad_scale,
                 const Tensor& lr, const AdamOptions& options, Tensor& values, Tensor& exp_avg,
                 Tensor& exp_avg_sq, Tensor& steps) {
  CAIRN_DISPATCH(values.device(), adam, grads, chunk_scales, grad_scale, lr, options, values,
                 exp_avg, exp_avg_sq, steps);
}

}  // namespace cairn
