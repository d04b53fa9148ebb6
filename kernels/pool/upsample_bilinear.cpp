#include "kernels/pool/upsample_bilinear.h"

#include <algorithm>
#include <vector>

#include "runtime/threads.h"

namespace cairn::cpu {

void upsample_bilinear(const Tensor& x, Align align, Tensor& y) {
  const int64_t H = x.dim(1), W = x.dim(2), C = x.dim(3), Ho = y.dim(1), Wo = y.dim(2);
  const ResizeAxis rows(H, Ho, align), columns(W, Wo, align);
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    std::vector<ResizeAxis::Source<T>> sources;
    for (int64_t j = 0; j < Wo; ++j) sources.push_back(columns.source<T>(int(j)));
    const T* px = x.data<T>();
    T* py = y.data<T>();
    parallel_for(y.dim(0) * Ho, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const auto i = rows.source<T>(int(row % Ho));
        const T* above = px + (row / Ho * H + i.low) * W * C;
        const T* below = px + (row / Ho * H + i.high) * W * C;
        for (int64_t q = 0; q < Wo; ++q) {
          const auto& j = sources[q];
          const T *a = above + j.low * C, *b = above + j.high * C;
          const T *d = below + j.low * C, *e = below + j.high * C;
          const T wi = i.weight, wj = j.weight, vi = 1 - wi, vj = 1 - wj;
          T* to = py + (row * Wo + q) * C;
          for (int64_t c = 0; c < C; ++c)
            to[c] = vi * (vj * a[c] + wj * b[c]) + wi * (vj * d[c] + wj * e[c]);
        }
      }
    });
  });
}

void upsample_bilinear_backward(const Tensor& dy, Align align, Tensor& dx) {
  const int64_t H = dx.dim(1), W = dx.dim(2), C = dx.dim(3), Ho = dy.dim(1), Wo = dy.dim(2);
  const ResizeAxis rows(H, Ho, align), columns(W, Wo, align);
  with_float(dx.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* pd = dy.data<T>();
    T* px = dx.data<T>();
    parallel_for(dx.dim(0) * H, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const ResizeAxis::Range is = rows.readers(int(row % H));
        for (int64_t q = 0; q < W; ++q) {
          const ResizeAxis::Range js = columns.readers(int(q));
          T* to = px + (row * W + q) * C;
          std::fill_n(to, C, T(0));
          for (int i = is.first; i <= is.last; ++i)
            for (int j = js.first; j <= js.last; ++j) {
              const T w = rows.weight<T>(i, int(row % H)) * columns.weight<T>(j, int(q));
              if (w == 0) continue;
              const T* from = pd + ((row / H * Ho + i) * Wo + j) * C;
              for (int64_t c = 0; c < C; ++c) to[c] += w * from[c];
            }
        }
      }
    });
  });
}

}  // namespace cairn::cpu
