// js_divergence: forward and backward; launches, traffic and repeats as in pointwise_loss_device.h,
// two logarithms per element forward, one backward.
#include "kernels/loss/js_divergence.h"

#include "kernels/loss/pointwise_loss_device.h"

namespace cairn::CAIRN_NS {

void js_divergence(const Tensor& x, const Tensor& target, const Tensor& weight, LossMean mean,
                   Tensor& loss, Tensor& factor) {
  pointwise_loss("js_divergence", JensenShannon{}, x, target, weight, mean, loss, factor);
}

void js_divergence_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                            const Tensor& factor, const Tensor& dloss, Tensor& dx) {
  pointwise_loss_backward("js_divergence_backward", JensenShannon{}, x, target, weight, factor,
                          dloss, dx);
}

}  // namespace cairn::CAIRN_NS
