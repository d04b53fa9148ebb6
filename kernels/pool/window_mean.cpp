#include "kernels/pool/window_mean.h"

#include <algorithm>
#include <vector>

#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

// Each pixel of `to` becomes the sum of the size x size pixels of `from` that begin `padding` rows
// and columns before it, zero outside, divided by size^2: of a window, or of the windows that
// contain a pixel. Down the columns first, then along the row: 2 size additions, in long runs.
template <class T>
void window_sums(const T* from, const Shape& in, int size, int64_t padding, T* to,
                 const Shape& out) {
  const int64_t C = out[3], run = in[2] * C, length = out[2] * C;
  const T share = T(1) / T(size * size);
  parallel_for(out[0] * out[1], 1, [=](int64_t begin, int64_t end) {
    std::vector<T> columns(size_t(run + 2 * padding * C));
    T* inner = columns.data() + padding * C;
    for (int64_t row = begin; row < end; ++row) {
      const int64_t n = row / out[1], i = row % out[1] - padding;
      std::fill_n(inner, run, T(0));
      for (int64_t r = std::max<int64_t>(i, 0); r < std::min(i + size, in[1]); ++r) {
        const T* line = from + (n * in[1] + r) * run;
        for (int64_t e = 0; e < run; ++e) inner[e] += line[e];
      }
      T* sum = to + row * length;
      std::fill_n(sum, length, T(0));
      for (int64_t v = 0; v < size; ++v) {
        const T* shifted = columns.data() + v * C;
        for (int64_t e = 0; e < length; ++e) sum[e] += shifted[e];
      }
      for (int64_t e = 0; e < length; ++e) sum[e] *= share;
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
    window_sums(dy.data<T>(), dy.shape(), size, size - 1, dx.data<T>(), dx.shape());
  });
}

}  // namespace cairn::cpu
