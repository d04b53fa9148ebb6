#pragma once
// The hierarchical, parallel, multi-scale block of FAN and the hourglass built from it (Bulat and
// Tzimiropoulos, "How far are we from solving the 2D & 3D face alignment problem?", ICCV 2017).
// Parameter names are those of the public PyTorch implementation.
#include <memory>

#include "layers/modules.h"

namespace cairn {

/// Three 3x3 convolutions one behind the other, each after BN-ReLU and without bias, of out/2,
/// out/4 and out/4 channels; their outputs side by side, plus the input (through BN-ReLU-conv1x1
/// where in and out differ). Receptive fields of 3, 5 and 7 pixels. `out` is a multiple of 4.
class HierarchicalBlock : public Module {
 public:
  HierarchicalBlock(int in, int out);
  void visit(Visitor& v) override;
  Var operator()(const Var& x);

 private:
  BatchNorm2d bn1_, bn2_, bn3_;
  Conv2d conv1_, conv2_, conv3_;
  std::unique_ptr<BatchNorm2d> skip_bn_;
  std::unique_ptr<Conv2d> skip_;
};

/// An hourglass of such blocks that pools by the mean, as the released weights need. Height and
/// width must be multiples of 2^depth.
class HierarchicalHourglass : public Module {
 public:
  HierarchicalHourglass(int depth, int features);
  ~HierarchicalHourglass() override;
  void visit(Visitor& v) override;
  Var operator()(const Var& x);

 private:
  struct Level;
  std::vector<std::unique_ptr<Level>> levels_;  // the finest first
  HierarchicalBlock bottom_;
};

}  // namespace cairn
