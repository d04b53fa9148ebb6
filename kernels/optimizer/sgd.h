#pragma once
// One step of stochastic gradient descent over the flat parameter buffer, with PyTorch's
// definitions (dampening 0):
//
//   g = grad_scale * grad + decay * value
//   b = momentum * b + g                         momentum_buffer, zero at the start
//   u = g + momentum * b if nesterov, else b     (momentum 0: u = g)
//   value = value - lr * u
//
//   grads, values, momentum_buffer   [n], n a multiple of flat_chunk; f32 or f64;
//                 momentum_buffer is not read and may be undefined where momentum is 0
//   chunk_scales  f32 [n / flat_chunk, 2]: factors of lr and of weight_decay, (0, 0) skips a chunk
//   grad_scale    [1], type of grads: the factor from clipping
//   lr            [1], type of grads: the learning rate, which changes from step to step and
//                 therefore lives on the device
#include "kernels/dispatch.h"

namespace cairn {

struct SgdOptions {
  double momentum = 0, weight_decay = 0;
  bool nesterov = false;
};

CAIRN_ON_EACH_DEVICE(void sgd(const Tensor& grads, const Tensor& chunk_scales,
                              const Tensor& grad_scale, const Tensor& lr, const SgdOptions& options,
                              Tensor& values, Tensor& momentum_buffer);)

/// Updates values and momentum_buffer.
inline void sgd(const Tensor& grads, const Tensor& chunk_scales, const Tensor& grad_scale,
                const Tensor& lr, const SgdOptions& options, Tensor& values,
                Tensor& momentum_buffer) {
  CAIRN_DISPATCH(values.device(), sgd, grads, chunk_scales, grad_scale, lr, options, values,
                 momentum_buffer);
}

}  // namespace cairn
