#include "kernels/loss/bce_with_logits.h"

#include "kernels/loss/pointwise_loss_cpu.h"

namespace cairn::cpu {

void bce_with_logits(const Tensor& x, const Tensor& target, const Tensor& weight, LossMean mean,
                     Tensor& loss, Tensor& factor) {
  pointwise_loss(BinaryCrossEntropy{}, x, target, weight, mean, loss, factor);
}

void bce_with_logits_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                              const Tensor& factor, const Tensor& dloss, Tensor& dx) {
  pointwise_loss_backward(BinaryCrossEntropy{}, x, target, weight, factor, dloss, dx);
}

}  // namespace cairn::cpu
