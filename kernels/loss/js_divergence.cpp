#include "kernels/loss/js_divergence.h"

#include "kernels/loss/pointwise_loss_cpu.h"

namespace cairn::cpu {

void js_divergence(const Tensor& x, const Tensor& target, const Tensor& weight, LossMean mean,
                   Tensor& loss, Tensor& factor) {
  pointwise_loss(JensenShannon{}, x, target, weight, mean, loss, factor);
}

void js_divergence_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                            const Tensor& factor, const Tensor& dloss, Tensor& dx) {
  pointwise_loss_backward(JensenShannon{}, x, target, weight, factor, dloss, dx);
}

}  // namespace cairn::cpu
