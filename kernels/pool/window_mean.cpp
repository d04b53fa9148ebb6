#include "kernels/pool/window_mean.h"

#include <algorithm>

#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

// Each pixel of `to` becomes the sum of the pixels of `from` in rows and columns i + first .. i,
// those outside left out, divided by size^2: of a window, or of the windows that contain a pixel.
template <class T>
void window_sums(const T* from, const Shape& in, int size, int64_t first, T* to, const Shape& out) {
  const int64_t C = out[3];
  const T share = T(1) / T(size * size);
  parallel_for(out[0] * out[1], 1, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t n = row / out[1], i = row % out[1] + first;
      for (int64_t column = 0; column < out[2]; ++column) {
        const int64_t j = column + first;
        T* sum = to + (row * out[2] + column) * C;
        std::fill_n(sum, C, T(0));
        for (int64_t r = std::max<int64_t>(i, 0); r < std::min(i + size, in[1]); ++r)
          for (int64_t q = std::max<int64_t>(j, 0); q < std::min(j + size, in[2]); ++q) {
            const T* pixel = from + ((n * in[1] + r) * in[2] + q) * C;
            for (int64_t c = 0; c < C; ++c) sum[c] += pixel[c];
          }
        for (int64_t c = 0; c < C; ++c) sum[c] *= share;
      }
    }
  });
}

}  // namespace

void window_mean(const Tensor& x, int size, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    window_sums(x.data<T>(), x.shape(), size, 0, y.data<T>(), y.shape());
  });
}

void window_mean_backward(const Tensor& dy, int size, Tensor& dx) {
  with_float(dx.dtype(), [&](auto type) {
    using T = decltype(type);
    window_sums(dy.data<T>(), dy.shape(), size, 1 - size, dx.data<T>(), dx.shape());
  });
}

}  // namespace cairn::cpu
