// grouped_linear: one product for each group (tiled_product.h).
//
//   y  [N,O] = x [N,I] times W^T, plus bias;  dx [N,I] = dy [N,O] times W [O,I];
//   dW [O,I] = dy^T [O,N] times x [N,I], N in parts. Rows of a group lie K I (K O) apart.
//
//   Launch    as in kernels/gemm/gemm.cu; the bias is first repeated for each group, its gradient
//             is sum_pixels (kernels/conv).
//   Traffic   x, W, y once each: W is the largest for few images; floor = bytes / bandwidth.
//   Work      2 N K I O flop each.
//   Repeats   bitwise: one writer per element, parts cut by the shape alone, added in order.
#include "kernels/gemm/grouped_linear.h"

#include "kernels/conv/conv2d_parts.h"
#include "kernels/gemm/tiled_product.h"

namespace cairn::CAIRN_NS {
namespace {

template <class T>
CAIRN_KERNEL void repeat_kernel(const T* x, int64_t period, int64_t count, T* y) {
  for (int64_t i = global_thread(); i < count; i += global_threads()) y[i] = x[i % period];
}

Tensor repeated(const Tensor& bias, int64_t groups) {
  Tensor out = bias.empty_like({groups, bias.count()});
  with_float(bias.dtype(), [&](auto type) {
    using T = decltype(type);
    launch("grouped_linear", repeat_kernel<T>, blocks_for(out.count(), 256), 256, 0, bias.data<T>(),
           bias.count(), out.count(), out.data<T>());
  });
  return out;
}

/// Groups of x [N,K,C]: matrices [N,C] side by side.
Patches side_by_side(const Tensor& x) {
  Patches p = matrix(x.raw(), x.dim(2), x.dim(1) * x.dim(2));
  p.group_stride = x.dim(2);
  return p;
}

/// Groups of weight [K,O,I]: matrices [O,I] one after the other.
Patches in_turn(const Tensor& weight) {
  Patches p = matrix(weight.raw(), weight.dim(2), weight.dim(2));
  p.group_stride = weight.dim(1) * weight.dim(2);
  return p;
}

}  // namespace

void grouped_linear(const Tensor& x, const Tensor& weight, const Tensor* bias, Tensor& y) {
  const Tensor biases = bias ? repeated(*bias, y.dim(1)) : Tensor();
  Product p;
  p.a = side_by_side(x);
  p.b = in_turn(weight);
  p.m = index_count(x.dim(0));
  p.n = index_count(y.dim(2));
  p.k = index_count(x.dim(2));
  p.groups = index_count(x.dim(1));
  p.c_group = y.dim(2);
  p.c_row = y.dim(1) * y.dim(2);
  if (bias) p.bias = biases.raw();
  multiply(p, y);
}

void grouped_linear_backward(const Tensor& x, const Tensor& weight, const Tensor& dy, Tensor* dx,
                             Tensor* dweight, Tensor* dbias) {
  if (dbias) sum_pixels(dy, *dbias);
  if (dx) {
    Product p;
    p.a = side_by_side(dy);
    p.b = in_turn(weight);
    p.b_by_columns = true;
    p.m = index_count(x.dim(0));
    p.n = index_count(x.dim(2));
    p.k = index_count(dy.dim(2));
    p.groups = index_count(x.dim(1));
    p.c_group = x.dim(2);
    p.c_row = x.dim(1) * x.dim(2);
    multiply(p, *dx);
  }
  if (dweight) {
    Product p;
    p.a = side_by_side(dy);
    p.b = side_by_side(x);
    p.a_by_columns = p.b_by_columns = true;
    p.m = index_count(dy.dim(2));
    p.n = index_count(x.dim(2));
    p.k = index_count(x.dim(0));
    p.groups = index_count(x.dim(1));
    p.c_group = dweight->dim(1) * dweight->dim(2);
    p.c_row = dweight->dim(2);
    multiply(p, *dweight, true);
  }
}

}  // namespace cairn::CAIRN_NS
