// wing: forward and backward; launches, traffic and repeats as in pointwise_loss_device.h,
// a logarithm per element forward.
#include "kernels/loss/wing.h"

#include "kernels/loss/pointwise_loss_device.h"

namespace cairn::CAIRN_NS {

void wing(const Tensor& x, const Tensor& target, const Tensor& weight, const WingOptions& options,
          LossMean mean, Tensor& loss, Tensor& factor) {
  pointwise_loss("wing", OfError<Wing>{{options}}, x, target, weight, mean, loss, factor);
}

void wing_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                   const WingOptions& options, const Tensor& factor, const Tensor& dloss,
                   Tensor& dx) {
  pointwise_loss_backward("wing_backward", OfError<Wing>{{options}}, x, target, weight, factor,
                          dloss, dx);
}

}  // namespace cairn::CAIRN_NS
