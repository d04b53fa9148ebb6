#pragma once
// The hourglass of the landmark autoencoder: plain 3x3 convolutions on every level, a chain of them
// on every way across.
#include <memory>
#include <vector>

#include "layers/modules.h"

namespace cairn {

/// One resolution of an hourglass, from the finest to the coarsest.
struct HourglassLevel {
  std::vector<int> down;  ///< widths of the blocks before the pool
  std::vector<int> up;    ///< widths of those after the coarser level has been added
  int across = 0;         ///< blocks of the way that is added to it; none on the coarsest level
};

/// conv 3x3 -> batch norm -> leaky ReLU. A linear one, which ends a network, has no ReLU and
/// computes in the parameters' type, also on bf16 activations.
struct LandmarkBlock : Module {
  LandmarkBlock(int in, int out, bool linear = false);
  void visit(Visitor& v) override;
  Var operator()(const Var& x);

  Conv2d conv;
  BatchNorm2d bn;
  const Activation act;
};

/// [N,H,W,in] -> [N,H,W,levels[0].up.back()]; H and W multiples of 2^(levels - 1). Parameters are
/// called down.LEVEL.BLOCK, across.LEVEL.BLOCK and up.LEVEL.BLOCK.
class LandmarkHourglass : public Module {
 public:
  /// With `linear_end` the last block has no activation: its norm fixes the scale of the answer.
  LandmarkHourglass(int in, const std::vector<HourglassLevel>& levels, bool linear_end);
  void visit(Visitor& v) override;
  Var operator()(const Var& x) { return run(0, x); }

 private:
  using Blocks = std::vector<std::unique_ptr<LandmarkBlock>>;
  struct Level {
    Blocks down, across, up;
  };
  Var run(size_t level, const Var& x);

  std::vector<Level> levels_;
};

}  // namespace cairn
