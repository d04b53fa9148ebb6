#pragma once
// One step of RMSprop (Tieleman and Hinton, Coursera lecture 6.5, 2012) over the flat parameter
// buffer, with PyTorch's definitions and defaults:
//
//   g = grad_scale * grad + decay * value
//   s = alpha * s + (1 - alpha) * g * g          square_avg
//   u = g / (sqrt(s) + eps)
//   b = momentum * b + u                         momentum_buffer, if momentum > 0; else b = u
//   value = value - lr * b
//
//   grads, values, square_avg, momentum_buffer   [n], n a multiple of flat_chunk; f32 or f64;
//                 momentum_buffer is not read and may be undefined where momentum is 0
//   chunk_scales  f32 [n / flat_chunk, 2]: factors of lr and of weight_decay, (0, 0) skips a chunk
//   grad_scale    [1], type of grads: the factor from clipping
//   lr            [1], type of grads: the learning rate, which changes from step to step and
//                 therefore lives on the device
#include "kernels/dispatch.h"

namespace cairn {

struct RmspropOptions {
  double alpha = 0.99, eps = 1e-8, weight_decay = 0, momentum = 0;
};

CAIRN_ON_EACH_DEVICE(void rmsprop(const Tensor& grads, const Tensor& chunk_scales,
                                  const Tensor& grad_scale, const Tensor& lr,
                                  const RmspropOptions& options, Tensor& values, Tensor& square_avg,
                                  Tensor& momentum_buffer);)

/// Updates values, square_avg and momentum_buffer.
inline void rmsprop(const Tensor& grads, const Tensor& chunk_scales, const Tensor& grad_scale,
                    const Tensor& lr, const RmspropOptions& options, Tensor& values,
                    Tensor& square_avg, Tensor& momentum_buffer) {
  CAIRN_DISPATCH(values.device(), rmsprop, grads, chunk_scales, grad_scale, lr, options, values,
                 square_avg, momentum_buffer);
}

}  // namespace cairn
