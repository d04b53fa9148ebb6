#include "kernels/pool/upsample_bilinear.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

// A row of pixels along the columns of another one. `channels` may be a constant.
template <class T, class Channels>
void along_columns(const T* row, const std::vector<ResizeAxis::Source<T>>& sources,
                   Channels channels, T* to) {
  for (const auto& s : sources) {
    const T *low = row + s.low * channels, *high = row + s.high * channels;
    for (int64_t c = 0; c < channels; ++c) to[c] = (1 - s.weight) * low[c] + s.weight * high[c];
    to += channels;
  }
}

}  // namespace

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
      std::vector<T> between(size_t(W * C));  // the mean of the rows above and below
      for (int64_t row = begin; row < end; ++row) {
        const auto i = rows.source<T>(int(row % Ho));
        const T* above = px + (row / Ho * H + i.low) * W * C;
        const T* below = px + (row / Ho * H + i.high) * W * C;
        for (int64_t k = 0; k < W * C; ++k)
          between[k] = (1 - i.weight) * above[k] + i.weight * below[k];
        T* to = py + row * Wo * C;
        C == 1 ? along_columns(between.data(), sources, std::integral_constant<int64_t, 1>(), to)
               : along_columns(between.data(), sources, C, to);
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
