#include "kernels/descriptor/l2_normalize.h"

#include <algorithm>
#include <cmath>

#include "kernels/dot.h"
#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

// f(offset of the row), in parallel, for each vector of C channels.
template <class F>
void each_row(const Tensor& x, F&& f) {
  const int64_t C = x.dim(-1);
  if (x.count() == 0) return;
  parallel_for(x.count() / C, std::max<int64_t>((1 << 13) / C, 1), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) f(row * C);
  });
}

}  // namespace

void l2_normalize(const Tensor& x, double eps, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const int64_t C = x.dim(-1);
    const T* px = x.data<T>();
    T* py = y.data<T>();
    each_row(x, [=](int64_t at) {
      const T scale = T(1 / std::max(std::sqrt(dot(px + at, px + at, C)), eps));
      for (int64_t c = at; c < at + C; ++c) py[c] = px[c] * scale;
    });
  });
}

void l2_normalize_backward(const Tensor& x, const Tensor& dy, double eps, Tensor& dx) {
  with_float(dx.dtype(), [&](auto type) {
    using T = decltype(type);
    const int64_t C = x.dim(-1);
    const T *px = x.data<T>(), *pdy = dy.data<T>();
    T* pdx = dx.data<T>();
    each_row(x, [=](int64_t at) {
      const double length = std::sqrt(dot(px + at, px + at, C));
      const double scale = 1 / std::max(length, eps);
      const double along = length > eps ? dot(px + at, pdy + at, C) * scale * scale : 0;
      for (int64_t c = at; c < at + C; ++c)
        pdx[c] = T(scale * (double(pdy[c]) - along * double(px[c])));
    });
  });
}

}  // namespace cairn::cpu
