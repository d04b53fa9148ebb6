#include "kernels/loss/smooth_l1.h"

#include "kernels/loss/pointwise_loss_cpu.h"

namespace cairn::cpu {

void smooth_l1(const Tensor& x, const Tensor& target, const Tensor& weight, double beta,
               LossMean mean, Tensor& loss, Tensor& factor) {
  pointwise_loss(OfError<SmoothL1>{{beta}}, x, target, weight, mean, loss, factor);
}

void smooth_l1_backward(const Tensor& x, const Tensor& target, const Tensor& weight, double beta,
                        const Tensor& factor, const Tensor& dloss, Tensor& dx) {
  pointwise_loss_backward(OfError<SmoothL1>{{beta}}, x, target, weight, factor, dloss, dx);
}

}  // namespace cairn::cpu
