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

namespace {

// Which outputs read an input, and the input's share in each of them.
template <class T>
struct Reader {
  int64_t output;
  T weight;
};
template <class T>
std::vector<std::vector<Reader<T>>> readers(const ResizeAxis& axis) {
  std::vector<std::vector<Reader<T>>> all(axis.in);
  for (int i = 0; i < axis.in; ++i) {
    const ResizeAxis::Range range = axis.readers(i);
    for (int o = range.first; o <= range.last; ++o)
      if (const T w = axis.weight<T>(o, i); w != 0) all[i].push_back({o, w});
  }
  return all;
}

}  // namespace

void upsample_bilinear_backward(const Tensor& dy, Align align, Tensor& dx) {
  const int64_t H = dx.dim(1), W = dx.dim(2), C = dx.dim(3), Ho = dy.dim(1), Wo = dy.dim(2);
  with_float(dx.dtype(), [&](auto type) {
    using T = decltype(type);
    const auto rows = readers<T>(ResizeAxis(H, Ho, align));
    const auto columns = readers<T>(ResizeAxis(W, Wo, align));
    const T* pd = dy.data<T>();
    T* px = dx.data<T>();
    parallel_for(dx.dim(0) * H, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t q = 0; q < W; ++q) {
          T* to = px + (row * W + q) * C;
          std::fill_n(to, C, T(0));
          for (const Reader<T>& i : rows[row % H])
            for (const Reader<T>& j : columns[q]) {
              const T w = i.weight * j.weight;
              const T* from = pd + ((row / H * Ho + i.output) * Wo + j.output) * C;
              for (int64_t c = 0; c < C; ++c) to[c] += w * from[c];
            }
        }
    });
  });
}

}  // namespace cairn::cpu
