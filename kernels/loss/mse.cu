// mse: mean squared error, forward and backward; launches, traffic and repeats as in
// pointwise_loss_device.h, 4 flops per element.
#include "kernels/loss/mse.h"

#include "kernels/loss/pointwise_loss_device.h"

namespace cairn::CAIRN_NS {

void mse(const Tensor& x, const Tensor& target, const Tensor& weight, LossMean mean, Tensor& loss,
         Tensor& factor) {
  pointwise_loss("mse", OfError<SquaredError>{}, x, target, weight, mean, loss, factor);
}

void mse_backward(const Tensor& x, const Tensor& target, const Tensor& weight, const Tensor& factor,
                  const Tensor& dloss, Tensor& dx) {
  pointwise_loss_backward("mse_backward", OfError<SquaredError>{}, x, target, weight, factor, dloss,
                          dx);
}

}  // namespace cairn::CAIRN_NS
