#include "layers/functions_conv.h"
#include "runtime/flops.h"

#include "layers/check.h"
#include "layers/prepared_weights.h"
#include "layers/trace.h"

namespace cairn {
namespace {

Check conv_check(const char* op, const Shape& x, const Var& w, const Var& bias) {
  Check check(op);
  check.argument("x", x).argument("w", w).argument("bias", bias);
  return check;
}

void finish(const Check& check, const char* expected) {
  check.done(expected,
             "give the layer the channels and the size it was built for; images are [N,H,W,C], one "
             "image has N = 1");
}

// `like` has the type and the device of x.
void check_common(Check& check, const Tensor& like, const Var& w, const Var& bias, int64_t outputs,
                  const Conv2dOptions& o) {
  check.parameter("w", w.value(), like);
  if (bias.defined()) {
    check.parameter("bias", bias.value(), like);
    check.require(bias.shape() == Shape{outputs}, "bias has shape ", bias.shape(), " for ", outputs,
                  " output channels");
  }
  check.require(o.padding >= 0, "padding ", o.padding, " is negative");
}

bool check_options(Check& check, const Shape& x, const Var& w, const Conv2dOptions& o) {
  check.require(x.rank() == 4, "x has rank ", x.rank());
  check.require(w.value().rank() == 4, "w has rank ", w.value().rank());
  check.require(o.stride >= 1, "stride is ", o.stride);
  check.require(o.dilation >= 1, "dilation is ", o.dilation);
  check.require(o.groups >= 1, "groups is ", o.groups);
  return check.fine();
}

// The output's shape for an input of shape x.
Shape conv2d_shape(const char* op, const Shape& x, const Tensor& like, const Var& w,
                   const Var& bias, const Conv2dOptions& o, bool pool2) {
  Check check = conv_check(op, x, w, bias);
  int64_t h = 0, v = 0;
  if (check_options(check, x, w, o)) {
    check.require(w.dim(3) * o.groups == x[3], "x has ", x[3], " channels, w takes ",
                  w.dim(3) * o.groups);
    check.require(w.dim(0) % o.groups == 0, w.dim(0), " outputs do not divide into ", o.groups,
                  " groups");
    check_common(check, like, w, bias, w.dim(0), o);
    h = conv2d_output_size(x[1], w.dim(1), o);
    v = conv2d_output_size(x[2], w.dim(2), o);
    check.require(h > 0 && v > 0, "the ", w.dim(1), "x", w.dim(2),
                  " kernel does not fit into the padded image");
  }
  finish(check,
         "x [N,H,W,C], w [O,kh,kw,C/groups], bias [O], of one type (f32 beside bf16) and device");
  return pool2 ? Shape{x[0], h / 2, v / 2, w.dim(0)} : Shape{x[0], h, v, w.dim(0)};
}

Shape conv_transpose2d_shape(const Var& x, const Var& w, const Var& bias,
                             const ConvTranspose2dOptions& o) {
  Check check = conv_check("conv_transpose2d", x.shape(), w, bias);
  int64_t h = 0, v = 0, outputs = 0;
  if (check_options(check, x.shape(), w, o.transposed())) {
    outputs = w.dim(3) * o.groups;
    check.require(w.dim(0) == x.dim(3), "x has ", x.dim(3), " channels, w takes ", w.dim(0));
    check.require(w.dim(0) % o.groups == 0, w.dim(0), " inputs do not divide into ", o.groups,
                  " groups");
    check.require(o.output_padding >= 0 && o.output_padding < o.stride, "output_padding ",
                  o.output_padding, " is not in 0..stride-1");
    check_common(check, x.value(), w, bias, outputs, o.transposed());
    h = conv_transpose2d_output_size(x.dim(1), w.dim(1), o);
    v = conv_transpose2d_output_size(x.dim(2), w.dim(2), o);
    check.require(h > 0 && v > 0, "padding ", o.padding, " leaves nothing of the output");
  }
  finish(check,
         "x [N,H,W,I], w [I,kh,kw,O/groups], bias [O], of one type (f32 beside bf16) and device");
  return {x.dim(0), h, v, outputs};
}

// Every pixel of `places` meets every weight but those of the other side's channels.
void count_flops(const Shape& places, const Tensor& w) {
  FlopCounter::add(2.0 * double(places[0] * places[1] * places[2]) * double(w.count()));
}

// A weight or a bias, rounded if x is bf16; undefined if it is.
Tensor beside(const Var& x, const Var& parameter) {
  return parameter.defined() ? weight_as(parameter.value(), x.value().dtype()) : Tensor();
}

const Tensor* unless_undefined(const Tensor& t) { return t.defined() ? &t : nullptr; }

// Runs `backward_weights(dw, dbias)` if either is wanted.
template <class F>
void want_weights(Grads& grads, const Tensor& w, F&& backward_weights) {
  Tensor *dw = grads.want(1), *dbias = grads.want(2);
  if (!dw && !dbias) return;
  Tensor unwanted;
  if (!dw) unwanted = w.empty_like();
  backward_weights(dw ? *dw : unwanted, dbias);
}

void trace(const char* op, const Var& x, const Var& w, const Var& bias, const Tensor& y,
           const Conv2dOptions& o, const FusedStep& step) {
  Trace::add(x.tape(), op, {x.value(), w.value(), bias.value()}, y,
             {{"stride", o.stride},
              {"padding", o.padding},
              {"dilation", o.dilation},
              {"groups", o.groups},
              {"activation", double(step.act)},
              {"slope", step.slope},
              {"pool2", double(step.pool2)}});
}

}  // namespace

Var conv2d(const Var& x, const Var& w, const Var& bias, const Conv2dOptions& options) {
  Tensor y =
      x.value().empty_like(conv2d_shape("conv2d", x.shape(), x.value(), w, bias, options, false));
  const Tensor weight = beside(x, w), shift = beside(x, bias);
  conv2d(x.value(), weight, options, {.bias = unless_undefined(shift)}, y);
  count_flops(y.shape(), w.value());
  trace("conv2d", x, w, bias, y, options, {});
  return x.tape().record("conv2d", {x, w, bias}, y,
                         [options, xs = Kept(x), wv = weight](const Tensor& dy, Grads& grads) {
                           want_weights(grads, wv, [&](Tensor& dw, Tensor* dbias) {
                             conv2d_backward_weights(xs.value(), dy, options, dw, dbias);
                           });
                           if (Tensor* dx = grads.want(0))
                             conv2d_backward_data(dy, wv, options, *dx);
                         });
}

Var conv_transpose2d(const Var& x, const Var& w, const Var& bias,
                     const ConvTranspose2dOptions& options) {
  Tensor y = x.value().empty_like(conv_transpose2d_shape(x, w, bias, options));
  const Tensor weight = beside(x, w), shift = beside(x, bias);
  conv_transpose2d(x.value(), weight, unless_undefined(shift), options, y);
  count_flops(x.shape(), w.value());
  return x.tape().record("conv_transpose2d", {x, w, bias}, y,
                         [options, xs = Kept(x), wv = weight](const Tensor& dy, Grads& grads) {
                           want_weights(grads, wv, [&](Tensor& dw, Tensor* dbias) {
                             conv_transpose2d_backward_weights(xs.value(), dy, options, dw, dbias);
                           });
                           if (Tensor* dx = grads.want(0))
                             conv_transpose2d_backward_data(dy, wv, options, *dx);
                         });
}

namespace {

void refuse_gradients(const char* op, const std::vector<Var>& inputs) {
  for (const Var& v : inputs)
    if (v.wants_grad())
      throw Error(op, "a gradient is wanted of a fused convolution",
                  "inference: a tape that does not record",
                  "record conv2d, the activation and max_pool one by one when training");
}

Epilogue epilogue_of(const Tensor& bias, const FusedStep& step) {
  return {unless_undefined(bias), step.act, step.slope, step.pool2};
}

// The places of the output before a pool.
void count_conv2d(const Shape& x, const Tensor& w, const Conv2dOptions& o) {
  count_flops({x[0], conv2d_output_size(x[1], w.dim(1), o), conv2d_output_size(x[2], w.dim(2), o)},
              w);
}

}  // namespace

Var conv2d_fused(const Var& x, const Var& w, const Var& bias, const Conv2dOptions& options,
                 const FusedStep& step) {
  refuse_gradients("conv2d_fused", {x, w, bias});
  Tensor y = x.value().empty_like(
      conv2d_shape("conv2d_fused", x.shape(), x.value(), w, bias, options, step.pool2));
  const Tensor weight = beside(x, w), shift = beside(x, bias);
  conv2d(x.value(), weight, options, epilogue_of(shift, step), y);
  count_conv2d(x.shape(), w.value(), options);
  trace("conv2d_fused", x, w, bias, y, options, step);
  return x.tape().constant(y);
}

Var conv2d_pair_fused(const Var& x, const FusedConv& first, const FusedConv& second) {
  const char* op = "conv2d_pair_fused";
  refuse_gradients(op, {x, first.w, first.bias, second.w, second.bias});
  if (first.step.pool2)
    throw Error(op, "the first step pools", "a pool after the second step alone",
                "use conv2d_fused() twice");
  const Shape between =
      conv2d_shape(op, x.shape(), x.value(), first.w, first.bias, first.options, false);
  Tensor y = x.value().empty_like(conv2d_shape(op, between, x.value(), second.w, second.bias,
                                               second.options, second.step.pool2));
  const Tensor w1 = beside(x, first.w), b1 = beside(x, first.bias), w2 = beside(x, second.w),
               b2 = beside(x, second.bias);
  conv2d_pair(x.value(), {w1, first.options, epilogue_of(b1, first.step)},
              {w2, second.options, epilogue_of(b2, second.step)}, y);
  count_conv2d(x.shape(), first.w.value(), first.options);
  count_conv2d(between, second.w.value(), second.options);
  return x.tape().constant(y);
}

}  // namespace cairn
