#include "kernels/loss/wing.h"

#include "kernels/loss/pointwise_loss_cpu.h"

namespace cairn::cpu {

void wing(const Tensor& x, const Tensor& target, const Tensor& weight, const WingOptions& options,
          LossMean mean, Tensor& loss, Tensor& factor) {
  pointwise_loss(OfError<Wing>{{options}}, x, target, weight, mean, loss, factor);
}

void wing_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                   const WingOptions& options, const Tensor& factor, const Tensor& dloss,
                   Tensor& dx) {
  pointwise_loss_backward(OfError<Wing>{{options}}, x, target, weight, factor, dloss, dx);
}

}  // namespace cairn::cpu
