#include "layers/functions_pool.h"

#include <algorithm>

#include "kernels/heatmap/depth_to_space.h"
#include "kernels/pool/upsample_add.h"
#include "kernels/pool/upsample_bilinear.h"
#include "kernels/pool/upsample_nearest.h"
#include "kernels/pool/window_mean.h"
#include "layers/check.h"
#include "layers/functions_elementwise.h"
#include "layers/trace.h"

namespace cairn {
namespace {

// An image, so that the caller may ask for its four dimensions if the check is fine.
Check image_check(const char* op, const char* name, const Var& x) {
  Check check(op);
  check.argument(name, x).require(x.value().rank() == 4, name, " has rank ", x.value().rank());
  return check;
}

}  // namespace

Var max_pool(const Var& x, int size, int stride, int padding) {
  const MaxPoolOptions options{size, stride, padding};
  Check check = image_check("max_pool", "x", x);
  check.require(size >= 1 && size <= 16, "the window's size is ", size);
  check.require(stride >= 1, "stride is ", stride);
  check.require(padding >= 0 && padding <= size / 2, "padding ", padding, " for a window of ",
                size);
  if (check.fine())
    check.require(
        max_pool_output_size(x.dim(1), options) > 0 && max_pool_output_size(x.dim(2), options) > 0,
        "a window of ", size, " does not fit");
  check.done("x [N,H,W,C], a window of 1 to 16, padding of at most half of it",
             "pool an image that is at least as large as the window");

  Tensor y = x.value().empty_like({x.dim(0), max_pool_output_size(x.dim(1), options),
                                   max_pool_output_size(x.dim(2), options), x.dim(3)});
  Tensor index;
  if (x.wants_grad()) index = Tensor::empty(y.shape(), DType::u8, y.device());
  max_pool(x.value(), options, y, index.defined() ? &index : nullptr);
  Trace::add(x.tape(), "max_pool", {x.value()}, y,
             {{"size", size}, {"stride", stride}, {"padding", padding}});
  return x.tape().record("max_pool", {x}, y, [options, index](const Tensor& dy, Grads& grads) {
    if (Tensor* dx = grads.want(0)) max_pool_backward(dy, index, options, *dx);
  });
}

Var avg_pool(const Var& x, const PoolBlock& block) {
  Check check = image_check("avg_pool", "x", x);
  check.require(block.height >= 1 && block.width >= 1, "the block is ", block.height, "x",
                block.width);
  if (check.fine())
    check.require(x.dim(1) % block.height == 0 && x.dim(2) % block.width == 0, "blocks of ",
                  block.height, "x", block.width, " do not cover it");
  check.done("x [N,H,W,C], H and W multiples of the block's sides",
             "pad or resize the image to such a multiple");
  Tensor y =
      x.value().empty_like({x.dim(0), x.dim(1) / block.height, x.dim(2) / block.width, x.dim(3)});
  avg_pool(x.value(), block, y);
  return x.tape().record("avg_pool", {x}, y, [block](const Tensor& dy, Grads& grads) {
    if (Tensor* dx = grads.want(0)) avg_pool_backward(dy, block, *dx);
  });
}

Var window_mean(const Var& x, int size) {
  Check check = image_check("window_mean", "x", x);
  check.require(size >= 1, "the window's size is ", size);
  if (check.fine())
    check.require(x.dim(1) >= size && x.dim(2) >= size, "a window of ", size, " does not fit");
  check.done("x [N,H,W,C], a window of 1 or more", "use a window within the image");
  Tensor y = x.value().empty_like({x.dim(0), x.dim(1) - size + 1, x.dim(2) - size + 1, x.dim(3)});
  window_mean(x.value(), size, y);
  return x.tape().record("window_mean", {x}, y, [size](const Tensor& dy, Grads& grads) {
    if (Tensor* dx = grads.want(0)) window_mean_backward(dy, size, *dx);
  });
}

Var upsample_nearest(const Var& x, int factor) {
  image_check("upsample_nearest", "x", x)
      .require(factor >= 1, "the factor is ", factor)
      .done("x [N,H,W,C], a factor of 1 or more", "correct the call");
  Tensor y = x.value().empty_like({x.dim(0), x.dim(1) * factor, x.dim(2) * factor, x.dim(3)});
  upsample_nearest(x.value(), factor, y);
  Trace::add(x.tape(), "upsample_nearest", {x.value()}, y, {{"factor", factor}});
  return x.tape().record("upsample_nearest", {x}, y, [factor](const Tensor& dy, Grads& grads) {
    if (Tensor* dx = grads.want(0)) upsample_nearest_backward(dy, factor, *dx);
  });
}

Var upsample_add(const Var& skip, const Var& low) {
  Check check = image_check("upsample_add", "low", low);
  check.argument("skip", skip);
  if (check.fine())
    check.require(skip.shape() == Shape{low.dim(0), 2 * low.dim(1), 2 * low.dim(2), low.dim(3)},
                  "skip is not twice as high and wide as low");
  check.alike("skip", skip.value(), "low", low.value());
  check.done("low [N,H,W,C] and skip [N,2H,2W,C] of one type and device",
             "give images whose sides are multiples of what the network halves");
  if (Trace::running()) return add(skip, upsample_nearest(low, 2));  // it lists the two one by one
  Tensor y = skip.value().empty_like();
  upsample_add(skip.value(), low.value(), y);
  return low.tape().record("upsample_add", {skip, low}, y, [](const Tensor& dy, Grads& grads) {
    grads.give(0, dy);
    if (Tensor* dlow = grads.want(1)) upsample_nearest_backward(dy, 2, *dlow);
  });
}

Var upsample_bilinear(const Var& x, int64_t height, int64_t width, Align align) {
  Check check = image_check("upsample_bilinear", "x", x);
  check.require(height >= 1 && width >= 1, "the new size is ", height, "x", width);
  if (check.fine()) {
    check.require(x.dim(1) > 0 && x.dim(2) > 0, "x has no pixels");
    check.require(std::max({x.dim(1), x.dim(2), height, width}) <= ResizeAxis::most,
                  "a side exceeds ", ResizeAxis::most);
  }
  check.done("x [N,H,W,C] and a new size, both from 1x1 to 16384x16384", "correct the sizes");
  Tensor y = x.value().empty_like({x.dim(0), height, width, x.dim(3)});
  upsample_bilinear(x.value(), align, y);
  return x.tape().record("upsample_bilinear", {x}, y, [align](const Tensor& dy, Grads& grads) {
    if (Tensor* dx = grads.want(0)) upsample_bilinear_backward(dy, align, *dx);
  });
}

Var depth_to_space(const Var& deep, int r) {
  Check check = image_check("depth_to_space", "deep", deep);
  check.require(r >= 1, "r is ", r);
  if (check.fine())
    check.require(deep.dim(3) % (r * r) == 0, deep.dim(3), " channels do not divide by ", r * r);
  check.done("[N,H,W,D r^2]", "slice off the channels that are no pixels (a dustbin) first");
  Tensor wide = deep.value().empty_like(
      {deep.dim(0), deep.dim(1) * r, deep.dim(2) * r, deep.dim(3) / (r * r)});
  depth_to_space(deep.value(), r, wide);
  return deep.tape().record("depth_to_space", {deep}, wide, [r](const Tensor& dy, Grads& grads) {
    if (Tensor* dx = grads.want(0)) space_to_depth(dy, r, *dx);
  });
}

Var space_to_depth(const Var& wide, int r) {
  Check check = image_check("space_to_depth", "wide", wide);
  check.require(r >= 1, "r is ", r);
  if (check.fine())
    check.require(wide.dim(1) % r == 0 && wide.dim(2) % r == 0, "the sides do not divide by ", r);
  check.done("[N,rH,rW,D]", "pad or crop the image to a multiple of r");
  Tensor deep =
      wide.value().empty_like({wide.dim(0), wide.dim(1) / r, wide.dim(2) / r, wide.dim(3) * r * r});
  space_to_depth(wide.value(), r, deep);
  return wide.tape().record("space_to_depth", {wide}, deep, [r](const Tensor& dy, Grads& grads) {
    if (Tensor* dx = grads.want(0)) depth_to_space(dy, r, *dx);
  });
}

}  // namespace cairn
