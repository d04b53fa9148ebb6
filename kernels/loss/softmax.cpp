#include "kernels/loss/softmax.h"

#include <algorithm>
#include <numeric>

#include "kernels/vector_math.h"
#include "runtime/threads.h"

namespace cairn::cpu {

void softmax(const Tensor& x, Tensor& y) {
  if (y.count() == 0) return;
  const int64_t C = y.dim(-1);
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* px = x.data<T>();
    T* py = y.data<T>();
    parallel_for(y.count() / C, 64, [=](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const T* from = px + r * C;
        T* to = py + r * C;
        const T top = *std::max_element(from, from + C);
        for (int64_t c = 0; c < C; ++c) to[c] = exp_vec(from[c] - top);
        const double sum = std::accumulate(to, to + C, 0.0);
        const T share = T(1 / sum);
        for (int64_t c = 0; c < C; ++c) to[c] *= share;
      }
    });
  });
}

void softmax_backward(const Tensor& y, const Tensor& dy, Tensor& dx) {
  if (y.count() == 0) return;
  const int64_t C = y.dim(-1);
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *py = y.data<T>(), *pd = dy.data<T>();
    T* px = dx.data<T>();
    parallel_for(y.count() / C, 64, [=](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const T *yr = py + r * C, *dr = pd + r * C;
        double dot = 0;
        for (int64_t c = 0; c < C; ++c) dot += double(yr[c]) * double(dr[c]);
        for (int64_t c = 0; c < C; ++c) px[r * C + c] = yr[c] * (dr[c] - T(dot));
      }
    });
  });
}

}  // namespace cairn::cpu
