#pragma once
// The pre-activation bottleneck and the recursive hourglass built from it (Newell et al. 2016).
#include <memory>

#include "layers/modules.h"

namespace cairn {

/// BN-ReLU-conv1x1 (in -> out/2), BN-ReLU-conv3x3, BN-ReLU-conv1x1 (-> out), plus the input; a 1x1
/// convolution on the skip where in and out differ. Nothing after the sum.
class Residual : public Module {
 public:
  Residual(int in, int out);
  void visit(Visitor& v) override;
  Var operator()(const Var& x);

 private:
  Var as_one(const Var& x);
  Var in_parts(const Var& x);

  BatchNorm2d bn1_, bn2_, bn3_;
  Conv2d conv1_, conv2_, conv3_;
  std::unique_ptr<Conv2d> skip_;
};

/// Pools down `depth` times and comes back by nearest-neighbour upsampling, with a Residual on the
/// skip at every resolution. Height and width must be multiples of 2^depth.
class Hourglass : public Module {
 public:
  Hourglass(int depth, int features);
  void visit(Visitor& v) override;
  Var operator()(const Var& x);

 private:
  Residual up1_, low1_, low3_;
  std::unique_ptr<Hourglass> inner_;  // low2, except at the bottom,
  std::unique_ptr<Residual> bottom_;  // where it is a Residual
};

}  // namespace cairn
