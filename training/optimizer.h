#pragma once
// Optimizers with PyTorch's definitions and defaults, each one kernel over the flat parameter
// buffer. Parameters that are frozen or got no gradient in this step are left alone, state
// included, as PyTorch skips a gradient that is None.
#include <string>
#include <string_view>
#include <vector>

#include "layers/module.h"

namespace cairn {

enum class OptimizerKind { adam, adamw, rmsprop, sgd };

/// "adam", "adamw", "rmsprop" or "sgd"; anything else is a UsageError with the list.
OptimizerKind parse_optimizer(std::string_view name);

/// The constants of an optimizer; each kind reads those that it has.
struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::adam;
  double beta1 = 0.9, beta2 = 0.999;  ///< adam, adamw
  double alpha = 0.99;                ///< rmsprop
  double eps = 1e-8;                  ///< adam, adamw, rmsprop
  double momentum = 0;                ///< rmsprop, sgd
  bool nesterov = false;              ///< sgd
  double weight_decay = 0;            ///< adamw: decoupled; otherwise added to the gradient

  /// PyTorch's defaults: those above, and a weight decay of 0.01 for adamw.
  static OptimizerConfig defaults(OptimizerKind kind);
};

class Optimizer {
 public:
  /// State starts at zero, on the device of the parameters, which must outlive the optimizer.
  /// Throws a UsageError that names every constant out of its range.
  Optimizer(const OptimizerConfig& config, Parameters& parameters);

  /// The learning rate of the steps from now on. It lives on the device, and is written there in
  /// stream order: a captured step reads the one of its replay.
  void set_learning_rate(double lr) { lr_.fill(lr); }
  /// One step, the gradient scaled down to the norm `max_norm` if it is longer (infinity: never).
  /// Reads nothing back to the host.
  void step(double max_norm);

  /// The L2 norm of the gradient before clipping in the last step: one element on the device.
  const Tensor& gradient_norm() const { return norm_; }

  /// What a checkpoint holds: "optimizer.<parameter>.exp_avg", in the parameter's shape, and for
  /// adam ".step", int32, one count per chunk. The tensors share memory with the optimizer: load
  /// with copy_from.
  struct NamedState {
    std::string name;
    Tensor tensor;
  };
  std::vector<NamedState> named_state() const;

 private:
  struct State {
    const char* name;
    Tensor values;  // as long as the flat buffer
  };
  void add_state(const char* name);

  OptimizerConfig config_;
  Parameters& parameters_;
  std::vector<State> state_;
  Tensor momentum_;  // undefined without momentum
  Tensor steps_;     // adam, adamw
  Tensor lr_, norm_, grad_scale_;
};

}  // namespace cairn
