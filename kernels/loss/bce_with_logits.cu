// bce_with_logits: forward and backward; launches, traffic and repeats as in
// pointwise_loss_device.h, an exponential and a logarithm per element.
#include "kernels/loss/bce_with_logits.h"

#include "kernels/loss/pointwise_loss_device.h"

namespace cairn::CAIRN_NS {

void bce_with_logits(const Tensor& x, const Tensor& target, const Tensor& weight, LossMean mean,
                     Tensor& loss, Tensor& factor) {
  pointwise_loss("bce_with_logits", BinaryCrossEntropy{}, x, target, weight, mean, loss, factor);
}

void bce_with_logits_backward(const Tensor& x, const Tensor& target, const Tensor& weight,
                              const Tensor& factor, const Tensor& dloss, Tensor& dx) {
  pointwise_loss_backward("bce_with_logits_backward", BinaryCrossEntropy{}, x, target, weight,
                          factor, dloss, dx);
}

}  // namespace cairn::CAIRN_NS
