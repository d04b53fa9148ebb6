#pragma once
// The modules that own parameters: convolutions and batch normalisation, with PyTorch's names and
// default initialisation. Calling one records its function under the module's path.
#include <optional>

#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv_transpose2d.h"
#include "kernels/norm/batch_norm.h"
#include "layers/module.h"

namespace cairn {

/// Uniform within +- sqrt(6 / (kernel^2 (in + out))) (Glorot, Bengio, AISTATS 2010).
Init xavier_uniform(int in, int out, int kernel);

/// y = conv(x, weight) + bias.
///   weight [out, kernel, kernel, in/groups], bias [out]
/// Initialised as PyTorch does: both uniform within +- 1/sqrt(fan_in), fan_in = kernel^2 in/groups.
/// With `init` the weight starts so instead and the bias at 0.
class Conv2d : public Module {
 public:
  Conv2d(int in, int out, int kernel, const Conv2dOptions& options = {}, bool with_bias = true,
         std::optional<Init> init = {});
  void visit(Visitor& v) override;
  Var operator()(const Var& x);

  Parameter weight, bias;
  const Conv2dOptions options;
  const bool with_bias;
};

/// y = conv_transpose(x, weight) + bias.
///   weight [in, kernel, kernel, out/groups], bias [out]
/// Initialised like Conv2d, with PyTorch's fan_in of kernel^2 out/groups.
class ConvTranspose2d : public Module {
 public:
  ConvTranspose2d(int in, int out, int kernel, const ConvTranspose2dOptions& options = {},
                  bool with_bias = true, std::optional<Init> init = {});
  void visit(Visitor& v) override;
  Var operator()(const Var& x);

  Parameter weight, bias;
  const ConvTranspose2dOptions options;
  const bool with_bias;
};

/// y = weight (x - mean) / sqrt(var + eps) + bias per channel; see kernels/norm/batch_norm.h.
///   weight (gamma, starts at 1), bias (beta, 0), running_mean (0), running_var (1): [channels]
class BatchNorm2d : public Module {
 public:
  explicit BatchNorm2d(int channels, const BatchNormOptions& options = {});
  void visit(Visitor& v) override;
  /// act(norm(x)).
  Var operator()(const Var& x, Activation act = Activation::none, float slope = 0);

  Parameter weight, bias;
  Tensor running_mean, running_var;
  const BatchNormOptions options;
};

}  // namespace cairn
