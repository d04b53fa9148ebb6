#include "kernels/loss/softmax_cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/loss/cell_weights.h"
#include "kernels/vector_math.h"
#include "runtime/threads.h"

namespace cairn::cpu {
namespace {

// Writes the cell's max and log sum; returns -log softmax(x)[label].
template <class T>
double cell_loss(const T* x, int32_t label, int64_t C, T* log_sum) {
  const T top = *std::max_element(x, x + C);
  double sum = 0;
  for (int64_t first = 0; first < C; first += 64) {
    T e[64];  // apart from the sum, so that the exponentials are vectorised
    const int64_t n = std::min<int64_t>(64, C - first);
    for (int64_t i = 0; i < n; ++i) e[i] = exp_vec(x[first + i] - top);
    sum = std::accumulate(e, e + n, sum);
  }
  log_sum[0] = top;
  log_sum[1] = T(std::log(sum));
  if (label < 0 || label >= C) return std::nan("");
  return double(top) - double(x[label]) + std::log(sum);
}

}  // namespace

void softmax_cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor* valid,
                           Tensor& log_sum, Tensor& total, Tensor& loss) {
  const int64_t C = logits.dim(-1), cells = labels.count();
  with_float(logits.dtype(), [&](auto type) {
    using T = decltype(type);
    const std::vector<T> weight = cell_weights<T>(valid, cells);
    const T *px = logits.data<T>(), *pw = weight.data();
    const int32_t* pl = labels.data<int32_t>();
    T* ps = log_sum.data<T>();
    std::vector<double> losses(cells);
    double* out = losses.data();
    parallel_for(cells, 64, [=](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        ps[2 * r] = ps[2 * r + 1] = 0;
        if (pw[r] != 0) out[r] = double(pw[r]) * cell_loss(px + r * C, pl[r], C, ps + 2 * r);
      }
    });
    const double sum = std::accumulate(losses.begin(), losses.end(), 0.0);
    const double weight_sum = std::accumulate(weight.begin(), weight.end(), 0.0);
    total.data<T>()[0] = T(weight_sum);
    loss.data<T>()[0] = T(weight_sum == 0 ? 0 : sum / weight_sum);
  });
}

void softmax_cross_entropy_backward(const Tensor& logits, const Tensor& labels, const Tensor* valid,
                                    const Tensor& log_sum, const Tensor& total, const Tensor& dloss,
                                    Tensor& dlogits) {
  const int64_t C = logits.dim(-1), cells = labels.count();
  with_float(logits.dtype(), [&](auto type) {
    using T = decltype(type);
    const std::vector<T> weight = cell_weights<T>(valid, cells);
    const T *px = logits.data<T>(), *ps = log_sum.data<T>(), *pw = weight.data();
    const int32_t* pl = labels.data<int32_t>();
    T* pd = dlogits.data<T>();
    const T all = total.data<T>()[0], upstream = all == 0 ? T(0) : dloss.data<T>()[0] / all;
    parallel_for(cells, 64, [=](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        T* to = pd + r * C;
        if (pw[r] == 0) {
          std::fill_n(to, C, T(0));
          continue;
        }
        const T *from = px + r * C, top = ps[2 * r], log_of_sum = ps[2 * r + 1];
        const T g = upstream * pw[r];
        for (int64_t c = 0; c < C; ++c) to[c] = g * exp_vec(from[c] - top - log_of_sum);
        // p - 1 without cancellation where p is nearly 1
        const int32_t label = pl[r];
        if (label >= 0 && label < C) to[label] = g * std::expm1(from[label] - top - log_of_sum);
      }
    });
  });
}

}  // namespace cairn::cpu
