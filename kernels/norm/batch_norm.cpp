#include "kernels/norm/batch_norm.h"

#include "kernels/column_sums.h"
#include "kernels/gemm/block.h"
#include "kernels/norm/channel_statistics.h"

namespace cairn::cpu {
namespace {

// The rows of [R,C] in parts that fit the cache.
struct Parts {
  int64_t C, rows, per, count;
  explicit Parts(const Tensor& x)
      : C(x.dim(-1)),
        rows(C ? x.count() / C : 0),
        per(rows_per_part(C)),
        count((rows + per - 1) / per) {}
  // f(part, first element, rows) from several threads.
  template <class F>
  void each(F&& f) const {
    parallel_for(count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) f(p, p * per * C, std::min(rows - p * per, per));
    });
  }
};

}  // namespace

void batch_norm_apply(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                      const Tensor& invstd, Activation act, float slope, Tensor& y) {
  with_float(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const Parts parts(x);
    const std::vector<T> scales = scales_of<T>(gamma, invstd);
    const ChannelNorm<T> norm{mean.data<T>(), scales.data(), beta.data<T>(), act, T(slope)};
    parts.each([&](int64_t, int64_t first, int64_t rows) {
      const NormRows<T> k{
          x.data<T>() + first, parts.C, rows, parts.C, norm, y.data<T>() + first, parts.C,
          panel_width<T>()};
      CAIRN_ISA_CALL(normalise, k);
    });
  });
}

void batch_norm_training(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                         const BatchNormOptions& options, Tensor& running_mean, Tensor& running_var,
                         Tensor& mean, Tensor& invstd, Tensor& y) {
  moments_of(x).finish(options, running_mean, running_var, mean, invstd);
  cpu::batch_norm_apply(x, gamma, beta, mean, invstd, options.act, options.slope, y);
}

void batch_norm_evaluation(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                           const BatchNormOptions& options, const Tensor& running_mean,
                           const Tensor& running_var, Tensor& mean, Tensor& invstd, Tensor& y) {
  running_statistics(options, running_mean, running_var, mean, invstd);
  cpu::batch_norm_apply(x, gamma, beta, mean, invstd, options.act, options.slope, y);
}

namespace {

template <class T>
void backward(const Tensor& x, const Tensor& dy, const Tensor& gamma, const Tensor& beta,
              const Tensor& mean, const Tensor& invstd, Activation act, float slope,
              Statistics statistics, Tensor* dx, Tensor& dgamma, Tensor& dbeta) {
  const Parts parts(x);
  const std::vector<T> scales = scales_of<T>(gamma, invstd);
  const ChannelNorm<T> norm{mean.data<T>(), scales.data(), beta.data<T>(), act, T(slope)};
  std::vector<double> partial(parts.count * 2 * parts.C);
  parts.each([&](int64_t p, int64_t first, int64_t rows) {
    const ThroughRows<T> k{
        x.data<T>() + first,      rows, parts.C, norm, dy.data<T>() + first, nullptr,
        &partial[p * 2 * parts.C]};
    CAIRN_ISA_CALL(through_activation, k);
  });
  const std::vector<double> sums = sum_of_parts(partial, 2 * parts.C);
  write_norm_gradients<T>(sums, invstd, dgamma, dbeta);
  if (!dx) return;
  const NormBackTerms<T> terms(sums, invstd, statistics, parts.rows);
  parts.each([&](int64_t, int64_t first, int64_t rows) {
    const NormBackRows<T> k{x.data<T>() + first,
                            rows,
                            parts.C,
                            norm,
                            terms.shift.data(),
                            terms.slope.data(),
                            dy.data<T>() + first,
                            nullptr,
                            dx->data<T>() + first,
                            nullptr};
    CAIRN_ISA_CALL(norm_back, k);
  });
}

}  // namespace

void batch_norm_backward(const Tensor& x, const Tensor& dy, const Tensor& gamma, const Tensor& beta,
                         const Tensor& mean, const Tensor& invstd, Activation act, float slope,
                         Statistics statistics, Tensor* dx, Tensor& dgamma, Tensor& dbeta) {
  with_float(x.dtype(), [&](auto type) {
    backward<decltype(type)>(x, dy, gamma, beta, mean, invstd, act, slope, statistics, dx, dgamma,
                             dbeta);
  });
}

}  // namespace cairn::cpu
