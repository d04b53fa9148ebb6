#include "layers/functions_descriptor.h"

#include "kernels/descriptor/l2_normalize.h"
#include "layers/check.h"
#include "layers/trace.h"

namespace cairn {

Var l2_normalize(const Var& x, double eps) {
  Check("l2_normalize")
      .argument("x", x)
      .require(x.value().rank() >= 1, "x has no dimension")
      .require(eps > 0, "eps is ", eps)
      .done("x [...,C] and an eps above 0", "give vectors along the last dimension");
  Tensor y = x.value().empty_like();
  l2_normalize(x.value(), eps, y);
  Trace::add(x.tape(), "l2_normalize", {x.value()}, y, {{"eps", eps}});
  return x.tape().record("l2_normalize", {x}, y,
                         [xv = x.value(), eps](const Tensor& dy, Grads& grads) {
                           if (Tensor* dx = grads.want(0)) l2_normalize_backward(xv, dy, eps, *dx);
                         });
}

}  // namespace cairn
