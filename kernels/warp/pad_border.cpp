#include "kernels/warp/pad_border.h"

#include <algorithm>
#include <vector>

#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

// The mean colour of the border of one image.
template <class T>
std::vector<T> border_mean(const T* x, int64_t H, int64_t W, int64_t C) {
  std::vector<double> sum(static_cast<size_t>(C));
  int64_t count = 0;
  for (int64_t i = 0; i < H; ++i)
    for (int64_t j = 0; j < W; j += i == 0 || i == H - 1 || W == 1 ? 1 : W - 1, ++count)
      for (int64_t c = 0; c < C; ++c) sum[c] += double(x[(i * W + j) * C + c]);
  std::vector<T> mean;
  for (double s : sum) mean.push_back(T(s / double(count)));
  return mean;
}

}  // namespace

void pad_border(const Tensor& x, int padding, Tensor& y) {
  const int64_t H = x.dim(1), W = x.dim(2), C = x.dim(3), Ho = y.dim(1), Wo = y.dim(2);
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* px = x.data<T>();
    T* py = y.data<T>();
    parallel_for(x.dim(0), 1, [=](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        const T* from = px + n * H * W * C;
        T* to = py + n * Ho * Wo * C;
        const std::vector<T> mean = border_mean(from, H, W, C);
        for (int64_t u = 0; u < Ho * Wo; ++u) std::copy_n(mean.data(), C, to + u * C);
        for (int64_t i = 0; i < H; ++i)
          std::copy_n(from + i * W * C, W * C, to + ((i + padding) * Wo + padding) * C);
      }
    });
  });
}

}  // namespace cairn::cpu
