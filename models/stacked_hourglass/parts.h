#pragma once
// What a stacked hourglass is put together from. Names are those of the public implementations:
// pytorch_stacked_hourglass for bottleneck blocks, FAN for hierarchical ones.
#include <memory>

#include "layers/modules.h"
#include "models/stacked_hourglass.h"

namespace cairn {

/// A part of the network that maps one feature map to another.
struct HourglassPart : Module {
  virtual Var operator()(const Var& x) = 0;
};

/// From the image [N,H,W,C] to features [N,H/4,W/4,f].
std::unique_ptr<HourglassPart> make_hourglass_stem(const StackedHourglassOptions& options);

/// One hourglass, the block behind it, its output, and (but for the last) the way back to the
/// trunk.
struct HourglassStack {
  /// `channels` of the output; `index` counts from 0. A codec that is `global` gives nothing back.
  HourglassStack(const StackedHourglassOptions& options, int channels, bool global, int index);
  void visit(Visitor& v);

  struct Result {
    Var output;
    Var trunk;  ///< for the next stack; undefined for the last
  };
  Result operator()(const Var& x);

 private:
  Var head(const Var& features);

  const bool hierarchical_, global_;
  const int index_;
  std::unique_ptr<HourglassPart> hourglass_, block_;
  Conv2d linear_;
  BatchNorm2d bn_;
  Conv2d output_;
  std::unique_ptr<Conv2d> merge_features_, merge_output_;
};

}  // namespace cairn
