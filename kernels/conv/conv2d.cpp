#include "kernels/conv/conv2d.h"

#include "kernels/activation.h"
#include "kernels/conv/channel_totals.h"
#include "kernels/conv/conv2d_sizes.h"
#include "kernels/conv/depthwise.h"
#include "kernels/conv/dilated.h"
#include "kernels/conv/exact_step.h"
#include "kernels/conv/few_channels.h"
#include "kernels/conv/gather.h"
#include "kernels/conv/onednn.h"
#include "kernels/conv/winograd.h"
#include "kernels/gemm/product.h"

namespace cairn::cpu {
namespace {

// Every pixel by itself: the tensors are matrices with a row per pixel.
bool is_pointwise(const Conv2dSizes& s, const Conv2dOptions& o) {
  return s.kh == 1 && s.kw == 1 && o.stride == 1 && o.padding == 0 && o.groups == 1;
}

bool is_depthwise(const Conv2dSizes& s, const Conv2dOptions& o) {
  return o.groups == s.C && s.O == s.C;
}

// y [pixels,N] = x [pixels,K] B, then the epilogue.
template <class T>
void pointwise(const Tensor& x, const Panels<T>& b, const Epilogue& epilogue, Tensor& y) {
  Block<T> block;
  block.N = y.dim(3);
  block.M = block.N ? y.count() / block.N : 0;
  block.a = x.data<T>();
  block.a_row = x.dim(3);
  block.c = y.data<T>();
  block.c_row = block.N;
  block.finish = true;
  block.bias = epilogue.bias ? epilogue.bias->data<T>() : nullptr;
  block.act = epilogue.act;
  block.slope = T(epilogue.slope);
  block.stream = too_large_to_cache(y.bytes()) && !is_curved(epilogue.act);
  tall_product(block, b);
}

// dw of each group is the sum over output pixels of the outer product of dy's channels and what the
// kernel saw there: kw runs of channels in each of kh rows.
template <class T>
void weights_gradient(const Tensor& x, const Tensor& dy, const Conv2dSizes& s,
                      const Conv2dOptions& o, Tensor& dw) {
  const int64_t K = s.kh * s.kw * s.Cg;
  for (int64_t g = 0; g < o.groups; ++g) {
    const T* from = x.data<T>() + g * s.Cg;
    const auto seen = [&](int64_t pixel, int64_t k, int64_t count, T* to) {
      const int64_t j = pixel % s.Wo, i = pixel / s.Wo % s.Ho, n = pixel / s.Wo / s.Ho;
      int64_t c = k % s.Cg, v = k / s.Cg % s.kw, u = k / s.Cg / s.kw;
      const int64_t left = j * o.stride - o.padding;
      const bool whole_rows = left >= 0 && left + s.kw <= s.W && o.dilation == 1 && o.groups == 1;
      while (count > 0) {
        const int64_t r = i * o.stride + u * o.dilation - o.padding, q = left + v * o.dilation;
        const int64_t run = std::min(count, (whole_rows ? (s.kw - v) * s.Cg : s.Cg) - c);
        if (r >= 0 && r < s.H && q >= 0 && q < s.W)
          std::copy_n(from + ((n * s.H + r) * s.W + q) * s.C + c, run, to);
        else
          std::fill_n(to, run, T(0));
        to += run, count -= run, c = 0;
        v = whole_rows ? s.kw : v + 1;
        if (v == s.kw) v = 0, ++u;
      }
    };
    outer_product(s.Og, K, s.N * s.Ho * s.Wo, dy.data<T>() + g * s.Og, s.O,
                  dw.data<T>() + g * s.Og * K, seen);
  }
}

template <class T>
void forward(const Tensor& x, const Tensor& w, const Conv2dOptions& o, const Epilogue& epilogue,
             Tensor& y) {
  const Conv2dSizes s(x, w, o);
  if (is_pointwise(s, o) && !epilogue.pool2)
    return pointwise(x, Panels<T>(w.data<T>(), multiples(s.C, 1), s.C, s.O), epilogue, y);
  if (is_depthwise(s, o) && !epilogue.pool2) return depthwise(x, w, o, epilogue, y);
  if (winograd_serves(x, w, o)) return winograd(x, w, o.padding, epilogue, y);
  if (dilated_serves(x, w, o) && !epilogue.pool2) return dilated(x, w, o.dilation, epilogue, y);
  if constexpr (build::has_onednn)
    if (onednn::serves(x, w, o) && onednn::serves(epilogue))
      return onednn::conv2d(x, w, o, epilogue, y);
  const WeightStrides strides{s.Og * s.kh * s.kw * s.Cg, s.kh * s.kw * s.Cg, s.kw * s.Cg, s.Cg, 1};
  gather(x, w.data<T>(), strides, o.groups, forward_axis(s.Ho, s.kh, o),
         forward_axis(s.Wo, s.kw, o), epilogue, y);
}

// Winograd reads and writes bf16; every other way is that of float32, between two copies.
void forward_bf16(const Tensor& x, const Tensor& w, const Conv2dOptions& o,
                  const Epilogue& epilogue, Tensor& y) {
  const ExactStep step(w, epilogue);
  if (winograd_serves_wide(x.shape(), w.shape(), o))
    return winograd(x, step.w, o.padding, step.epilogue, y);
  Tensor sums = Tensor::empty(y.shape());
  forward<float>(as_type(x, DType::f32), step.w, o, step.epilogue, sums);
  cpu::cast(sums, y);
}

template <class T>
void backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& o, Tensor& dx) {
  const Conv2dSizes s(dx, w, o);
  if (is_pointwise(s, o))
    return pointwise(dy, Panels<T>(w.data<T>(), multiples(s.O, s.C), 1, s.C), {}, dx);
  if (is_depthwise(s, o)) return depthwise_backward_data(dy, w, o, dx);
  if (winograd_serves_data(dx, w, o)) return winograd_backward_data(dy, w, o.padding, dx);
  if (dilated_serves(dx, w, o)) return dilated_backward_data(dy, w, o.dilation, dx);
  if constexpr (build::has_onednn)
    if (onednn::serves(dx, w, o)) return onednn::conv2d_backward_data(dy, w, o, dx);
  const WeightStrides strides{s.Og * s.kh * s.kw * s.Cg, 1, s.kw * s.Cg, s.Cg, s.kh * s.kw * s.Cg};
  for (int64_t r = 0; r < o.stride; ++r)
    for (int64_t q = 0; q < o.stride; ++q)
      gather(dy, w.data<T>(), strides, o.groups, backward_axis(s.H, s.kh, r, o),
             backward_axis(s.W, s.kw, q, o), {}, dx);
}

template <class T>
void backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& o, Tensor& dw,
                      Tensor* dbias) {
  const Conv2dSizes s(x, dw, o);
  if (dbias) channel_totals(dy, *dbias);
  if (is_depthwise(s, o)) return depthwise_backward_weights(x, dy, o, dw);
  if (winograd_serves_weights(x, dw, o)) return winograd_backward_weights(x, dy, o.padding, dw);
  if (dilated_serves(x, dw, o)) return dilated_backward_weights(x, dy, o.dilation, dw);
  if (few_channels_serves(dw, o)) return few_channels_backward_weights(x, dy, o, dw);
  if constexpr (build::has_onednn)
    if (onednn::serves(x, dw, o)) return onednn::conv2d_backward_weights(x, dy, o, dw);
  weights_gradient<T>(x, dy, s, o, dw);
}

}  // namespace

void conv2d(const Tensor& x, const Tensor& w, const Conv2dOptions& options,
            const Epilogue& epilogue, Tensor& y) {
  if (y.dtype() == DType::bf16) return forward_bf16(x, w, options, epilogue, y);
  with_float(y.dtype(), [&](auto type) { forward<decltype(type)>(x, w, options, epilogue, y); });
}

void conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                          Tensor& dx) {
  with_float(dx.dtype(), [&](auto type) { backward_data<decltype(type)>(dy, w, options, dx); });
}

void conv2d_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                             Tensor& dw, Tensor* dbias) {
  with_float(dw.dtype(),
             [&](auto type) { backward_weights<decltype(type)>(x, dy, options, dw, dbias); });
}

}  // namespace cairn::cpu
