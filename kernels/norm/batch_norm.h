#pragma once
// batch_norm: every channel brought to mean 0 and variance 1, then to scale gamma and shift beta
// (Ioffe, Szegedy, "Batch Normalization", ICML 2015), and through a rectifier.
//
//   x, y, dx, dy                    [..., C], R rows of C channels; f32 or f64, simt and cuda: also
//                                   bf16, beside which all that follow are f32
//   gamma, beta, dgamma, dbeta      [C]
//   running_mean, running_var       [C]
//   mean, invstd                    [C]: what x was normalised with, kept for the backward
//
//   xhat = (x - mean) invstd,   z = gamma xhat + beta,   y = act(z): none or a rectifier
//   training    mean, var over the R rows (var biased), invstd = 1 / sqrt(var + eps);
//               running <- (1 - momentum) running + momentum new, with the unbiased variance
//   evaluation  mean = running_mean, invstd = 1 / sqrt(running_var + eps)
//
//   backward    dz = dy act'(z),   dbeta = sum dz,   dgamma = sum dz xhat   (over the rows)
//   training    dx = gamma invstd (dz - dbeta/R - xhat dgamma/R)
//   evaluation  dx = gamma invstd dz
//
// The backward needs x alone, and computes z again; so may whoever needs y: batch_norm_apply.
//
// Training with R = 0 leaves the running statistics alone; with R = 1 there is no unbiased variance
// (layers/ refuses it) and the biased one, 0, is taken.
#include "kernels/activation.h"
#include "kernels/dispatch.h"

namespace cairn {

struct BatchNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;              ///< the weight of the new statistics
  Activation act = Activation::none;  ///< or relu, leaky_relu, relu6
  float slope = 0;                    ///< of leaky_relu
};

/// Which statistics x is normalised with.
enum class Statistics { batch, running };

CAIRN_ON_EACH_DEVICE(
    void batch_norm_training(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                             const BatchNormOptions& options, Tensor& running_mean,
                             Tensor& running_var, Tensor& mean, Tensor& invstd, Tensor& y);
    void batch_norm_evaluation(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                               const BatchNormOptions& options, const Tensor& running_mean,
                               const Tensor& running_var, Tensor& mean, Tensor& invstd, Tensor& y);
    void batch_norm_apply(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                          const Tensor& mean, const Tensor& invstd, Activation act, float slope,
                          Tensor& y);
    void batch_norm_backward(const Tensor& x, const Tensor& dy, const Tensor& gamma,
                             const Tensor& beta, const Tensor& mean, const Tensor& invstd,
                             Activation act, float slope, Statistics statistics, Tensor* dx,
                             Tensor& dgamma, Tensor& dbeta);)

/// Writes y, mean and invstd; moves running_mean and running_var.
inline void batch_norm_training(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                                const BatchNormOptions& options, Tensor& running_mean,
                                Tensor& running_var, Tensor& mean, Tensor& invstd, Tensor& y) {
  CAIRN_DISPATCH(y.device(), batch_norm_training, x, gamma, beta, options, running_mean,
                 running_var, mean, invstd, y);
}

/// Writes y, mean and invstd.
inline void batch_norm_evaluation(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                                  const BatchNormOptions& options, const Tensor& running_mean,
                                  const Tensor& running_var, Tensor& mean, Tensor& invstd,
                                  Tensor& y) {
  CAIRN_DISPATCH(y.device(), batch_norm_evaluation, x, gamma, beta, options, running_mean,
                 running_var, mean, invstd, y);
}

/// Writes y from a mean and invstd that are known: the same bits as the forward that found them.
inline void batch_norm_apply(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                             const Tensor& mean, const Tensor& invstd, Activation act, float slope,
                             Tensor& y) {
  CAIRN_DISPATCH(y.device(), batch_norm_apply, x, gamma, beta, mean, invstd, act, slope, y);
}

/// dgamma, dbeta, and dx unless null.
inline void batch_norm_backward(const Tensor& x, const Tensor& dy, const Tensor& gamma,
                                const Tensor& beta, const Tensor& mean, const Tensor& invstd,
                                Activation act, float slope, Statistics statistics, Tensor* dx,
                                Tensor& dgamma, Tensor& dbeta) {
  CAIRN_DISPATCH(x.device(), batch_norm_backward, x, dy, gamma, beta, mean, invstd, act, slope,
                 statistics, dx, dgamma, dbeta);
}

}  // namespace cairn
