#pragma once
// The L2 norm of the whole gradient, and the factor that clips it (Pascanu, Mikolov and Bengio,
// ICML 2013; PyTorch's clip_grad_norm_):
//
//   norm  = sqrt(sum of g^2 over the chunks that are not skipped)
//   scale = min(1, max_norm / (norm + 1e-6))     max_norm = infinity: no clipping, scale 1
//
//   grads         [n], n a multiple of flat_chunk; f32 or f64
//   chunk_scales  f32 [n / flat_chunk, 2]; a chunk with (0, 0) is skipped
//   norm, scale   [1], type of grads; they stay on the device, so that a step needs no host
//   decision
//
// Summed in parts of fixed size and then over the parts: the same bits on every run.
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void gradient_norm(const Tensor& grads, const Tensor& chunk_scales,
                                        double max_norm, Tensor& norm, Tensor& scale);)

/// Writes norm and scale.
inline void gradient_norm(const Tensor& grads, const Tensor& chunk_scales, double max_norm,
                          Tensor& norm, Tensor& scale) {
  CAIRN_DISPATCH(grads.device(), gradient_norm, grads, chunk_scales, max_norm, norm, scale);
}

}  // namespace cairn
