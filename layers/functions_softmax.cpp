#include "layers/functions_softmax.h"

#include "kernels/loss/softmax.h"
#include "kernels/loss/softmax_cross_entropy.h"
#include "layers/check.h"

namespace cairn {

Var softmax(const Var& x) {
  Check("softmax")
      .argument("x", x)
      .require(x.value().rank() >= 1, "x has rank 0")
      .done("x [...,C]", "reshape it so that the classes are the last dimension");
  Tensor y = x.value().empty_like();
  softmax(x.value(), y);
  return x.tape().record("softmax", {x}, y, [y](const Tensor& dy, Grads& grads) {
    if (Tensor* dx = grads.want(0)) softmax_backward(y, dy, *dx);
  });
}

Var softmax_cross_entropy(const Var& logits, const Tensor& labels, const Tensor& valid) {
  const Tensor& x = logits.value();
  Check check("softmax_cross_entropy");
  check.argument("logits", x).argument("labels", labels).argument("valid", valid);
  check.require(x.rank() >= 1 && x.dim(-1) >= 1, "logits have no channels");
  if (check.fine()) {
    const Shape cells(std::span(x.shape().begin(), size_t(x.rank() - 1)));
    check.require(labels.shape() == cells, "labels differ from the logits' ", cells, " cells");
    check.require(!valid.defined() || valid.shape() == cells, "valid differs from the logits' ",
                  cells, " cells");
  }
  check.require(labels.dtype() == DType::i32, "labels are ", labels.dtype());
  check.together("labels", labels, "logits", x);
  if (valid.defined()) {
    check.require(valid.dtype() == DType::u8 || valid.dtype() == x.dtype(), "valid is ",
                  valid.dtype());
    check.together("valid", valid, "logits", x);
  }
  check.done("logits [...,C], labels [...] i32, valid [...] u8 or of the logits' type",
             "make one label and one weight per cell of the logits");

  std::vector<int64_t> pairs(x.shape().begin(), x.shape().end());
  pairs.back() = 2;
  Tensor log_sum = x.empty_like(Shape(pairs)), total = x.empty_like(Shape{1});
  Tensor loss = x.empty_like(Shape{});
  softmax_cross_entropy(x, labels, valid.defined() ? &valid : nullptr, log_sum, total, loss);
  return logits.tape().record(
      "softmax_cross_entropy", {logits}, loss,
      [x, labels, valid, log_sum, total](const Tensor& dloss, Grads& grads) {
        if (Tensor* dx = grads.want(0))
          softmax_cross_entropy_backward(x, labels, valid.defined() ? &valid : nullptr, log_sum,
                                         total, dloss, *dx);
      });
}

}  // namespace cairn
