#include "kernels/norm/channel_statistics.h"

#include <cmath>

#include "kernels/column_sums.h"

namespace cairn {

void PartMoments::finish(const BatchNormOptions& options, Tensor& running_mean, Tensor& running_var,
                         Tensor& mean, Tensor& invstd) const {
  std::vector<double> all(C_), m2(C_);
  double before = 0;
  for (size_t p = 0; p < rows_.size(); ++p) {
    const double share = rows_[p] / (before + rows_[p]);
    for (int64_t c = 0; c < C_; ++c) {
      const double delta = mean_[p * C_ + c] - all[c];
      all[c] += delta * share;
      m2[c] += m2_[p * C_ + c] + delta * delta * before * share;
    }
    before += rows_[p];
  }
  const double n = std::max(before, 1.0), keep = 1 - options.momentum;
  with_float(mean.dtype(), [&](auto type) {
    using T = decltype(type);
    for (int64_t c = 0; c < C_; ++c) {
      mean.data<T>()[c] = T(all[c]);
      invstd.data<T>()[c] = T(1 / std::sqrt(m2[c] / n + options.eps));
      if (before == 0) continue;
      T &rm = running_mean.data<T>()[c], &rv = running_var.data<T>()[c];
      rm = T(keep * rm + options.momentum * all[c]);
      rv = T(keep * rv + options.momentum * m2[c] / std::max(n - 1, 1.0));
    }
  });
}

void running_statistics(const BatchNormOptions& options, const Tensor& running_mean,
                        const Tensor& running_var, Tensor& mean, Tensor& invstd) {
  with_float(mean.dtype(), [&](auto type) {
    using T = decltype(type);
    for (int64_t c = 0; c < mean.count(); ++c) {
      mean.data<T>()[c] = running_mean.data<T>()[c];
      invstd.data<T>()[c] = T(1 / std::sqrt(double(running_var.data<T>()[c]) + options.eps));
    }
  });
}

PartMoments moments_of(const Tensor& x) {
  const int64_t C = x.dim(-1), rows = C ? x.count() / C : 0;
  const int64_t per = cpu::rows_per_part(C), parts = (rows + per - 1) / per;
  PartMoments moments(parts, C);
  with_float(x.dtype(), [&](auto type) {
    const auto* px = x.data<decltype(type)>();
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p)
        moments.take(p, px + p * per * C, std::min(rows - p * per, per));
    });
  });
  return moments;
}

std::vector<double> sum_of_parts(const std::vector<double>& parts, int64_t width) {
  std::vector<double> sums(width);
  for (size_t i = 0; i < parts.size(); ++i) sums[i % width] += parts[i];
  return sums;
}

}  // namespace cairn
