#include "layers/functions_landmark.h"

#include "kernels/gemm/grouped_linear.h"
#include "kernels/heatmap/gaussian_unpool.h"
#include "kernels/heatmap/mask_pool.h"
#include "layers/check.h"

namespace cairn {

Var mask_pool(const Var& mask, const Var& features) {
  Check check("mask_pool");
  check.argument("mask", mask).argument("features", features);
  check.require(mask.value().rank() == 4, "the mask has rank ", mask.value().rank())
      .require(features.value().rank() == 4, "the features have rank ", features.value().rank());
  if (check.fine()) {
    for (int i = 0; i < 3; ++i)
      check.require(mask.dim(i) == features.dim(i), "dimension ", i, " is ", mask.dim(i),
                    " in the mask, ", features.dim(i), " in the features");
    check.require(mask.dim(1) > 0 && mask.dim(2) > 0, "the mask has no pixels")
        .alike("features", features.value(), "mask", mask.value());
  }
  check.done("a mask [N,H,W,K] and features [N,H,W,S] with pixels, of one type and device",
             "give both maps one size");

  const Tensor &m = mask.value(), &f = features.value();
  Tensor pooled = f.empty_like({m.dim(0), m.dim(3), f.dim(3)});
  Tensor mass = m.empty_like({m.dim(0), m.dim(3)});
  mask_pool(m, f, pooled, mass);
  return mask.tape().record("mask_pool", {mask, features}, pooled,
                            [m, f, pooled, mass](const Tensor& dpooled, Grads& grads) {
                              mask_pool_backward(m, f, pooled, mass, dpooled, grads.want(0),
                                                 grads.want(1));
                            });
}

Var grouped_linear(const Var& x, const Var& weight, const Var& bias) {
  Check check("grouped_linear");
  check.argument("x", x).argument("weight", weight).argument("bias", bias);
  check.require(x.value().rank() == 3, "x has rank ", x.value().rank())
      .require(weight.value().rank() == 3, "the weight has rank ", weight.value().rank());
  if (check.fine()) {
    check
        .require(x.dim(1) == weight.dim(0), "x has ", x.dim(1), " groups, the weight ",
                 weight.dim(0))
        .require(x.dim(2) == weight.dim(2), "x has ", x.dim(2), " inputs, the weight takes ",
                 weight.dim(2))
        .alike("weight", weight.value(), "x", x.value());
    if (bias.defined())
      check
          .require(bias.shape() == Shape{weight.dim(1)}, "the bias has shape ", bias.shape(),
                   " for ", weight.dim(1), " outputs")
          .alike("bias", bias.value(), "x", x.value());
  }
  check.done("x [N,K,I], weight [K,O,I], bias [O], of one type and device",
             "give every group its own weights and all of them one bias");

  Tensor y = x.value().empty_like({x.dim(0), x.dim(1), weight.dim(1)});
  grouped_linear(x.value(), weight.value(), bias.defined() ? &bias.value() : nullptr, y);
  return x.tape().record("grouped_linear", {x, weight, bias}, y,
                         [xs = x.value(), w = weight.value()](const Tensor& dy, Grads& grads) {
                           grouped_linear_backward(xs, w, dy, grads.want(0), grads.want(1),
                                                   grads.want(2));
                         });
}

Var gaussian_unpool(const Var& centre, const Var& values, const std::vector<GaussianWidth>& widths,
                    int64_t height, int64_t width) {
  Check check("gaussian_unpool");
  check.argument("centre", centre).argument("values", values);
  check
      .require(centre.value().rank() == 3 && centre.shape()[-1] == 2, "centre has shape ",
               centre.shape())
      .require(values.value().rank() == 3, "the values have rank ", values.value().rank());
  if (check.fine())
    check
        .require(values.dim(0) == centre.dim(0), "centre has ", centre.dim(0),
                 " images, the values ", values.dim(0))
        .require(values.dim(1) == centre.dim(1) + 1, values.dim(1), " values are for ",
                 centre.dim(1), " points and the background")
        .alike("values", values.value(), "centre", centre.value());
  check.require(!widths.empty() && widths.size() <= most_gaussian_widths, widths.size(), " widths");
  for (const GaussianWidth& w : widths)
    check.require(w.sigma > 0, "a width is ", w.sigma)
        .require(w.background > 0, "a background is ", w.background);
  check.require(height > 0 && width > 0, "the map is ", height, "x", width)
      .done(
          "centre [N,K,2] and values [N,K+1,S] of one type and device, 1 to 16 widths, their "
          "backgrounds and a map size above 0",
          "give the background a value of its own, the last one");

  const int64_t maps = values.dim(1) + values.dim(2);
  Tensor y =
      centre.value().empty_like({centre.dim(0), height, width, int64_t(widths.size()) * maps});
  gaussian_unpool(centre.value(), values.value(), widths, y);
  return centre.tape().record(
      "gaussian_unpool", {centre, values}, y,
      [c = centre.value(), v = values.value(), widths](const Tensor& dy, Grads& grads) {
        gaussian_unpool_backward(c, v, widths, dy, grads.want(0), grads.want(1));
      });
}

}  // namespace cairn
