#include "kernels/loss/mse.h"

#include "kernels/loss/pointwise_loss_cpu.h"

namespace cairn::cpu {

void mse(const Tensor& x, const Tensor& target, const Tensor& weight, LossMean mean, Tensor& loss,
         Tensor& factor) {
  pointwise_loss(OfError<SquaredError>{}, x, target, weight, mean, loss, factor);
}

void mse_backward(const Tensor& x, const Tensor& target, const Tensor& weight, const Tensor& factor,
                  const Tensor& dloss, Tensor& dx) {
  pointwise_loss_backward(OfError<SquaredError>{}, x, target, weight, factor, dloss, dx);
}

}  // namespace cairn::cpu
