#include "kernels/loss/diversity.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

template <class State, class T>
State of_pixel(State s, const T* p, int64_t channels) {
  for (int64_t c = 0; c < channels; ++c) s.add(p[c], int(c));
  return s;
}

}  // namespace

void diversity(const Tensor& p, DiversityForm form, Tensor& loss) {
  constexpr int64_t per_part = 1024;
  const int64_t K = p.dim(3), pixels = p.dim(0) * p.dim(1) * p.dim(2);
  std::vector<double> parts(size_t((pixels + per_part - 1) / per_part));
  with_float(p.dtype(), [&](auto type) {
    using T = decltype(type);
    with_form<T>(form, [&](auto start) {
      const T* pp = p.data<T>();
      parallel_for(int64_t(parts.size()), 1, [&](int64_t begin, int64_t end) {
        for (int64_t part = begin; part < end; ++part)
          for (int64_t u = part * per_part; u < std::min(pixels, (part + 1) * per_part); ++u)
            parts[part] += double(of_pixel(start, pp + u * K, K).value());
      });
      const double total = std::accumulate(parts.begin(), parts.end(), 0.0);
      loss.data<T>()[0] = T(p.dim(0) == 0 ? 0 : start.loss(total, p.dim(0), K));
    });
  });
}

void diversity_backward(const Tensor& p, DiversityForm form, const Tensor& dloss, Tensor& dp) {
  const int64_t K = p.dim(3), pixels = p.dim(0) * p.dim(1) * p.dim(2);
  with_float(p.dtype(), [&](auto type) {
    using T = decltype(type);
    with_form<T>(form, [&](auto start) {
      const T* pp = p.data<T>();
      T* pd = dp.data<T>();
      const T scale = T(dloss.data<T>()[0] * start.factor(p.dim(0), K));
      parallel_for(pixels, 256, [=](int64_t begin, int64_t end) {
        for (int64_t u = begin; u < end; ++u) {
          const auto state = of_pixel(start, pp + u * K, K);
          for (int64_t c = u * K; c < (u + 1) * K; ++c)
            pd[c] = scale * state.slope(pp[c], int(c - u * K));
        }
      });
    });
  });
}

}  // namespace cairn::cpu
