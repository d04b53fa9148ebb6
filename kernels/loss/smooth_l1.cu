// smooth_l1: forward and backward; launches, traffic and repeats as in pointwise_loss_device.h,
// about 7 flops per element.
#include "kernels/loss/smooth_l1.h"

#include "kernels/loss/pointwise_loss_device.h"

namespace cairn::CAIRN_NS {

void smooth_l1(const Tensor& x, const Tensor& target, const Tensor& weight, double beta,
               LossMean mean, Tensor& loss, Tensor& factor) {
  pointwise_loss("smooth_l1", OfError<SmoothL1>{{beta}}, x, target, weight, mean, loss, factor);
}

void smooth_l1_backward(const Tensor& x, const Tensor& target, const Tensor& weight, double beta,
                        const Tensor& factor, const Tensor& dloss, Tensor& dx) {
  pointwise_loss_backward("smooth_l1_backward", OfError<SmoothL1>{{beta}}, x, target, weight,
                          factor, dloss, dx);
}

}  // namespace cairn::CAIRN_NS
