#include "kernels/conv/few_channels.h"

#include "kernels/conv/gather.h"
#include "kernels/conv/strip.h"
#include "kernels/gemm/block.h"
#include "runtime/threads.h"

namespace cairn {
namespace {

// Rows of outputs are dealt to this many sums, whatever the thread count, which are added in order.
constexpr int64_t parts = 16;

template <class T>
void backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& o, Tensor& dw) {
  const int64_t H = x.dim(1), W = x.dim(2), C = x.dim(3), Ho = dy.dim(1), Wo = dy.dim(2);
  const int64_t O = dw.dim(0), kh = dw.dim(1), kw = dw.dim(2), K = kh * kw * C;
  const int64_t rows = x.dim(0) * Ho, width = (Wo - 1) * o.stride + kw;
  const std::vector<int64_t> offset = forward_axis(Ho, kh, o).offset;
  Tensor sums = Tensor::zeros({parts, K, O}, DTypeOf<T>::value);  // K ordered (v, u, c)
  parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
    Tensor strip = Tensor::empty({width * kh * C}, DTypeOf<T>::value);
    Block<T> block;
    block.M = K;
    block.N = O;
    block.K = Wo;
    block.a = strip.data<T>();
    block.a_row = 1;
    block.a_column = o.stride * kh * C;
    block.b_row = O;
    block.b_panel = panel_width<T>();
    block.c_row = O;
    block.accumulate = true;
    for (int64_t part = begin; part < end; ++part)
      for (int64_t row = rows * part / parts; row < rows * (part + 1) / parts; ++row) {
        fill_strip<T>({x.data<T>() + row / Ho * H * W * C, H, W, C, C}, row % Ho * o.stride, offset,
                      -o.padding, width, strip.data<T>());
        block.b = dy.data<T>() + row * Wo * O;
        block.c = sums.data<T>() + part * K * O;
        multiply_block(block);
      }
  });
  const T* from = sums.data<T>();
  for (int64_t out = 0; out < O; ++out)
    for (int64_t k = 0; k < K; ++k) {
      const int64_t c = k % C, u = k / C % kh, v = k / C / kh;
      T sum = 0;
      for (int64_t part = 0; part < parts; ++part) sum += from[(part * K + k) * O + out];
      dw.data<T>()[((out * kh + u) * kw + v) * C + c] = sum;
    }
}

}  // namespace

bool few_channels_serves(const Tensor& dw, const Conv2dOptions& o) {
  return dw.count() <= 160 * dw.dim(0) && o.groups == 1 && o.dilation == 1 &&
         dw.dim(0) % panel_width<float>() == 0;
}

void few_channels_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                                   Tensor& dw) {
  with_float(dw.dtype(), [&](auto type) { backward_weights<decltype(type)>(x, dy, options, dw); });
}

}  // namespace cairn
