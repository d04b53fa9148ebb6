#include "kernels/conv/conv_transpose2d.h"

#include "kernels/conv/channel_totals.h"
#include "runtime/threads.h"

namespace cairn::cpu {

void conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor* bias,
                      const ConvTranspose2dOptions& options, Tensor& y) {
  cpu::conv2d_backward_data(x, w, options.transposed(), y);
  if (!bias) return;
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* b = bias->data<T>();
    T* py = y.data<T>();
    const int64_t O = y.dim(3);
    parallel_for(O ? y.count() / O : 0, 1024, [=](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p)
        for (int64_t o = 0; o < O; ++o) py[p * O + o] += b[o];
    });
  });
}

void conv_transpose2d_backward_data(const Tensor& dy, const Tensor& w,
                                    const ConvTranspose2dOptions& options, Tensor& dx) {
  cpu::conv2d(dy, w, options.transposed(), {}, dx);
}

void conv_transpose2d_backward_weights(const Tensor& x, const Tensor& dy,
                                       const ConvTranspose2dOptions& options, Tensor& dw,
                                       Tensor* dbias) {
  cpu::conv2d_backward_weights(dy, x, options.transposed(), dw, nullptr);
  if (dbias) channel_totals(dy, *dbias);
}

}  // namespace cairn::cpu
