#pragma once
// The loops of the pointwise losses on cpu; see pointwise_loss.h.
#include <algorithm>
#include <vector>

#include "kernels/loss/pointwise_loss.h"
#include "runtime/threads.h"

namespace cairn::cpu {

/// Of a part of the elements; in double, so that the number of parts hardly matters.
struct LossSums {
  double loss = 0, weight = 0;
};
inline LossSums total(const std::vector<LossSums>& parts) {
  LossSums all;
  for (const LossSums& s : parts) {
    all.loss += s.loss;
    all.weight += s.weight;
  }
  return all;
}

/// x cut into rows whose weights lie side by side: row r uses weight row r / rows_per_weight.
struct WeightRows {
  int64_t count, length, rows_per_weight;

  WeightRows(const Tensor& x, const Tensor& weight) {
    if (x.count() == 0 || !weight.defined() || weight.shape() == x.shape()) {
      length = 4096;  // the last row may be shorter
      count = (x.count() + length - 1) / length;
      rows_per_weight = 1;
    } else {
      length = x.dim(-1);
      count = x.count() / length;
      rows_per_weight = count / x.dim(0);
    }
  }
  int64_t per_part() const { return std::max<int64_t>(1, 16384 / length); }
};

template <class Loss>
void pointwise_loss(const Loss& l, const Tensor& x, const Tensor& target, const Tensor& weight,
                    LossMean mean, Tensor& loss, Tensor& factor) {
  const WeightRows rows(x, weight);
  const int64_t per_part = rows.per_part(), parts = (rows.count + per_part - 1) / per_part;
  std::vector<LossSums> part(parts);
  with_float(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *px = x.data<T>(), *pt = target.data<T>();
    const T* pw = weight.defined() ? weight.data<T>() : nullptr;
    parallel_for(parts, 2, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p)
        for (int64_t r = p * per_part; r < std::min(rows.count, (p + 1) * per_part); ++r) {
          const int64_t first = r * rows.length, n = std::min(rows.length, x.count() - first);
          const T* w = pw ? pw + r / rows.rows_per_weight * rows.length : nullptr;
          for (int64_t i = 0; i < n; ++i) {
            const double wi = w ? double(w[i]) : 1.0;
            part[p].loss += wi * double(l.value(px[first + i], pt[first + i]));
            part[p].weight += wi;
          }
        }
    });
    const LossSums all = total(part);
    const double divisor = mean == LossMean::weights ? all.weight : double(x.count());
    const double f = divisor == 0 ? 0 : 1 / divisor;
    loss.data<T>()[0] = T(f * all.loss);
    factor.data<T>()[0] = T(f);
  });
}

template <class Loss>
void pointwise_loss_backward(const Loss& l, const Tensor& x, const Tensor& target,
                             const Tensor& weight, const Tensor& factor, const Tensor& dloss,
                             Tensor& dx) {
  const WeightRows rows(x, weight);
  with_float(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *px = x.data<T>(), *pt = target.data<T>();
    const T* pw = weight.defined() ? weight.data<T>() : nullptr;
    T* pdx = dx.data<T>();
    const T scale = dloss.data<T>()[0] * factor.data<T>()[0];
    parallel_for(rows.count, rows.per_part(), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t first = r * rows.length, n = std::min(rows.length, x.count() - first);
        const T* w = pw ? pw + r / rows.rows_per_weight * rows.length : nullptr;
        for (int64_t i = first; i < first + n; ++i)
          pdx[i] = scale * (w ? w[i - first] : T(1)) * l.slope(px[i], pt[i]);
      }
    });
  });
}

}  // namespace cairn::cpu
