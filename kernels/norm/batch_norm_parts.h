#pragma once
// What batch_norm and the fused residual block share on cuda and simt.
#include "kernels/device.h"
#include "kernels/norm/batch_norm.h"

namespace cairn::CAIRN_NS {

/// Mean and sum of squared deviations of n values.
template <class T>
struct Moments {
  T n, mean, m2;
};

template <class T>
CAIRN_DEVICE Moments<T> merged(Moments<T> a, Moments<T> b) {
  const T n = a.n + b.n;
  if (n == 0) return a;
  const T share = b.n / n, delta = b.mean - a.mean;
  return {n, a.mean + delta * share, a.m2 + b.m2 + delta * delta * a.n * share};
}

/// Moments of parts of x's rows, as [parts, C, 3] (f32 of bf16).
Tensor partial_moments(const Tensor& x);
/// Writes mean and invstd from those of all rows, and moves the running statistics.
void finish_moments(const Tensor& partial, const BatchNormOptions& options, Tensor& running_mean,
                    Tensor& running_var, Tensor& mean, Tensor& invstd);
/// mean and invstd from the running statistics.
void running_moments(const BatchNormOptions& options, const Tensor& running_mean,
                     const Tensor& running_var, Tensor& mean, Tensor& invstd);

/// dbeta and dgamma from partial sums [parts, 2, C] of g and of g (x - mean).
void finish_gradients(const Tensor& partial, const Tensor& invstd, Tensor& dgamma, Tensor& dbeta);
/// dx = gamma invstd (dz - dbeta/R - xhat dgamma/R) + add, dz = dy act'(z); add may be null, or dx.
void norm_backward(const Tensor& x, const Tensor& dy, const Tensor& gamma, const Tensor& beta,
                   const Tensor& mean, const Tensor& invstd, Activation act, float slope,
                   Statistics statistics, const Tensor& dgamma, const Tensor& dbeta,
                   const Tensor* add, Tensor& dx);

}  // namespace cairn::CAIRN_NS
