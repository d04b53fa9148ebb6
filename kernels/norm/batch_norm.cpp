#include "kernels/norm/batch_norm.h"

#include <cmath>

#include "kernels/column_sums.h"

namespace cairn::cpu {
namespace {

// Mean and sum of squared deviations of each column. Two passes over a part while it is in the
// cache, then the parts are merged (Chan, Golub, LeVeque 1979): no cancellation at any mean.
struct Moments {
  std::vector<double> mean, m2;
};

template <class T>
void part_moments(const T* px, int64_t begin, int64_t end, int64_t C, double* mean, double* m2) {
  sum_rows<1, T>(begin, end, C, mean, [=](int64_t r, int64_t c, int64_t n, auto& acc) {
    for (int64_t i = 0; i < n; ++i) acc[0][i] += px[r * C + c + i];
  });
  const double rows = double(end - begin);
  std::vector<T> near(C);
  for (int64_t c = 0; c < C; ++c) near[c] = T(mean[c] /= rows);
  const T* pm = near.data();
  sum_rows<1, T>(begin, end, C, m2, [=](int64_t r, int64_t c, int64_t n, auto& acc) {
    for (int64_t i = 0; i < n; ++i) {
      const T d = px[r * C + c + i] - pm[c + i];
      acc[0][i] += d * d;
    }
  });
  for (int64_t c = 0; c < C; ++c) {
    const double off = mean[c] - double(near[c]);
    m2[c] = std::max(0.0, m2[c] - rows * off * off);
  }
}

template <class T>
Moments column_moments(const T* px, int64_t rows, int64_t C) {
  const int64_t per = rows_per_part(C), parts = (rows + per - 1) / per;
  std::vector<double> mean(parts * C), m2(parts * C);
  parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p)
      part_moments(px, p * per, std::min(rows, (p + 1) * per), C, &mean[p * C], &m2[p * C]);
  });
  Moments all{std::vector<double>(C), std::vector<double>(C)};
  for (int64_t p = 0; p < parts; ++p) {
    const double before = double(p * per), here = double(std::min(rows, (p + 1) * per) - p * per);
    const double share = here / (before + here);
    for (int64_t c = 0; c < C; ++c) {
      const double delta = mean[p * C + c] - all.mean[c];
      all.mean[c] += delta * share;
      all.m2[c] += m2[p * C + c] + delta * delta * before * share;
    }
  }
  return all;
}

// gamma invstd.
template <class T>
std::vector<T> scales_of(const Tensor& gamma, const Tensor& invstd) {
  std::vector<T> scales = gamma.values<T>();
  for (size_t c = 0; c < scales.size(); ++c) scales[c] *= invstd.data<T>()[c];
  return scales;
}

}  // namespace

void batch_norm_apply(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                      const Tensor& invstd, Activation act, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const int64_t C = x.dim(-1), rows = C ? x.count() / C : 0;
    const std::vector<T> scales = scales_of<T>(gamma, invstd);
    const T *px = x.data<T>(), *pm = mean.data<T>(), *pb = beta.data<T>(), *ps = scales.data();
    T* py = y.data<T>();
    with_rectifier(act, [&](auto kind) {
      parallel_for(rows, rows_per_part(C), [=](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r)
          for (int64_t c = 0; c < C; ++c)
            py[r * C + c] = activate<kind()>((px[r * C + c] - pm[c]) * ps[c] + pb[c], T(0));
      });
    });
  });
}

void batch_norm_training(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                         const BatchNormOptions& options, Tensor& running_mean, Tensor& running_var,
                         Tensor& mean, Tensor& invstd, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const int64_t C = x.dim(-1), rows = C ? x.count() / C : 0;
    const Moments now = column_moments(x.data<T>(), rows, C);
    const double n = double(std::max<int64_t>(rows, 1)), keep = 1 - options.momentum;
    for (int64_t c = 0; c < C; ++c) {
      mean.data<T>()[c] = T(now.mean[c]);
      invstd.data<T>()[c] = T(1 / std::sqrt(now.m2[c] / n + options.eps));
      if (rows == 0) continue;
      T &rm = running_mean.data<T>()[c], &rv = running_var.data<T>()[c];
      rm = T(keep * rm + options.momentum * now.mean[c]);
      rv = T(keep * rv + options.momentum * now.m2[c] / std::max(n - 1, 1.0));
    }
  });
  cpu::batch_norm_apply(x, gamma, beta, mean, invstd, options.act, y);
}

void batch_norm_evaluation(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                           const BatchNormOptions& options, const Tensor& running_mean,
                           const Tensor& running_var, Tensor& mean, Tensor& invstd, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    for (int64_t c = 0; c < x.dim(-1); ++c) {
      mean.data<T>()[c] = running_mean.data<T>()[c];
      invstd.data<T>()[c] = T(1 / std::sqrt(double(running_var.data<T>()[c]) + options.eps));
    }
  });
  cpu::batch_norm_apply(x, gamma, beta, mean, invstd, options.act, y);
}

namespace {

template <class T, Activation act>
void backward(const Tensor& x, const Tensor& dy, const Tensor& gamma, const Tensor& beta,
              const Tensor& mean, const Tensor& invstd, Statistics statistics, Tensor* dx,
              Tensor& dgamma, Tensor& dbeta) {
  const int64_t C = x.dim(-1), rows = C ? x.count() / C : 0;
  const std::vector<T> scales = scales_of<T>(gamma, invstd);
  const T *px = x.data<T>(), *pd = dy.data<T>(), *pm = mean.data<T>(), *pb = beta.data<T>(),
          *ps = scales.data();
  // dz from dy, for x - mean = d.
  const auto through = [](T dy, T d, T scale, T beta) {
    return dy * activation_derivative<act>(activate<act>(d * scale + beta, T(0)), T(0));
  };
  const auto sums = column_sums<2, T>(rows, C, [=](int64_t r, int64_t c, int64_t n, auto& acc) {
    const T *xr = px + r * C + c, *dr = pd + r * C + c, *mr = pm + c, *sr = ps + c, *br = pb + c;
    for (int64_t i = 0; i < n; ++i) {
      const T d = xr[i] - mr[i], dz = through(dr[i], d, sr[i], br[i]);
      acc[0][i] += dz;
      acc[1][i] += dz * d;
    }
  });
  // dx = scale (dz - shift - (x - mean) slope)
  std::vector<T> shifts(C), slopes(C);
  for (int64_t c = 0; c < C; ++c) {
    const double is = invstd.data<T>()[c], n = double(std::max<int64_t>(rows, 1));
    dbeta.data<T>()[c] = T(sums[c]);
    dgamma.data<T>()[c] = T(sums[C + c] * is);
    if (statistics == Statistics::running) continue;
    shifts[c] = T(sums[c] / n);
    slopes[c] = T(sums[C + c] * is * is / n);
  }
  if (!dx) return;
  T* out = dx->data<T>();
  const T *pt = shifts.data(), *pk = slopes.data();
  parallel_for(rows, rows_per_part(C), [=](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t c = 0; c < C; ++c) {
        const int64_t i = r * C + c;
        const T d = px[i] - pm[c];
        out[i] = ps[c] * (through(pd[i], d, ps[c], pb[c]) - pt[c] - d * pk[c]);
      }
  });
}

}  // namespace

void batch_norm_backward(const Tensor& x, const Tensor& dy, const Tensor& gamma, const Tensor& beta,
                         const Tensor& mean, const Tensor& invstd, Activation act,
                         Statistics statistics, Tensor* dx, Tensor& dgamma, Tensor& dbeta) {
  with_float(x.dtype(), [&](auto type) {
    with_rectifier(act, [&](auto kind) {
      backward<decltype(type), kind()>(x, dy, gamma, beta, mean, invstd, statistics, dx, dgamma,
                                       dbeta);
    });
  });
}

}  // namespace cairn::cpu
